import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { nodeOf } from './replica-slot.ts';

const folder = mkdtempSync(join(tmpdir(), 'slots-'));
afterAll(() => rmSync(folder, { recursive: true }));
const slot = (): string => mkdtempSync(join(folder, 'slot-'));

test('a slot keeps its name, and no other has it', () => {
  const [one, other] = [slot(), slot()];
  expect(nodeOf(one)).toMatch(/^node_[A-Za-z0-9]{16}$/);
  expect(nodeOf(one)).toBe(nodeOf(one));
  expect(nodeOf(one)).not.toBe(nodeOf(other));
});

test('a name that was kept in part is drawn anew', () => {
  const torn = [slot(), slot()];
  for (const directory of torn) writeFileSync(join(directory, 'node'), '');
  expect(nodeOf(torn[0]!)).not.toBe(nodeOf(torn[1]!));
});

test('a slot that is not there has none', () => {
  expect(() => nodeOf(join(folder, 'nowhere'))).toThrow(expect.objectContaining({ code: 'invalid_path' }));
});
