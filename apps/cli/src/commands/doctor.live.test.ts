import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { DESK, Workspace } from '../testing/dreamfold-process.ts';

const workspace = new Workspace();
afterAll(() => workspace.remove());

test('a data directory: who runs sessions there, its head, and what is wrong with it', async () => {
  workspace.file('desk.ts', DESK);
  await workspace.run('run', 'desk.ts', '@script [{"say":"Hello."}]');
  const well = await workspace.run('doctor');
  expect(well).toMatchObject({ code: 0, stderr: '' });
  expect(well.stdout).toMatch(/^well {2}lock: no process runs sessions here\nwell {2}log: .+: head at event \d+, 1 MiB in the directory\n/);
  const worker = workspace.start(['worker', 'desk.ts']);
  await worker.noted(/Waiting for sessions/);
  expect((await workspace.run('doctor')).stdout).toMatch(/^well {2}lock: process \d+ runs sessions here\n/);
  worker.kill('SIGTERM');
  await worker.ended;
  const directory = join(workspace.path, '.dreamfold');
  for (const name of readdirSync(directory)) if (name.startsWith('log.db-')) rmSync(join(directory, name));
  writeFileSync(join(directory, 'log.db'), 'no database, but long enough to have a header '.repeat(10));
  const { code, document } = await workspace.json('doctor');
  expect(code).toBe(3);
  expect(document).toMatchObject({ ok: false });
  expect(document.findings).toContainEqual(
    expect.objectContaining({ about: 'log', state: 'wrong', text: expect.stringContaining('store_corrupt') }),
  );
});

test('what is not there, or does not answer, is said and not made', async () => {
  mkdirSync(join(workspace.path, 'empty'));
  const none = await workspace.run('doctor', '--data', 'nowhere');
  expect(none.code).toBe(3);
  expect(none.stdout).toContain('wrong data directory: nowhere is not there\n');
  const away = await workspace.json('doctor', '--log', 'kafka://127.0.0.1:1/x', '--data', 'nowhere');
  expect(away.code).toBe(3);
  expect(away.document.findings[0]).toMatchObject({ about: 'brokers', state: 'wrong', text: expect.stringContaining('ECONNREFUSED') });
  expect(readdirSync(workspace.path)).not.toContain('nowhere');
  expect((await workspace.run('doctor', '--log', 'nonsense')).code).toBe(2);
});
