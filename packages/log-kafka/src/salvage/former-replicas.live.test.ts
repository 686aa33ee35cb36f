import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { formerName, formerReplicas, pruneFormer } from './former-replicas.ts';

test('of the replicas that were set aside the two newest are kept, wherever they stand, and it is said which went', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dreamfold-former-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const made = [3, 1, 4, 2].map((day, i) => join(folder, String(i % 2), formerName(Date.UTC(2026, 11, day))));
  for (const one of made) mkdirSync(one, { recursive: true });
  mkdirSync(join(folder, '1', 'replica'));
  const [third, first, fourth, second] = made;
  expect(formerReplicas(folder)).toEqual([first, second, third, fourth]);
  const said: string[] = [];
  pruneFormer(folder, ({ message }) => said.push(message));
  expect(formerReplicas(folder)).toEqual([third, fourth]);
  expect(said).toEqual([first, second].map((path) => expect.stringContaining(`${path} was deleted`)));
  pruneFormer(folder, ({ message }) => said.push(message));
  expect(said).toHaveLength(2);
  expect(formerReplicas(join(folder, 'none'))).toEqual([]);
});
