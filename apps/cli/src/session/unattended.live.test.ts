import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DESK, PROGRAM, Workspace } from '../testing/dreamfold-process.ts';

const workspace = new Workspace();
let id = '';

beforeAll(async () => {
  workspace.file('desk.ts', DESK);
  const run = workspace.start(['run', 'desk.ts', '@script [{"tool":"wait"},{"say":"Waited."}]']);
  await run.said(/desk → wait/);
  [{ id }] = (await workspace.json('sessions')).document.sessions;
  expect((await workspace.json('show', id)).document.session.status).toBe('running');
  const beside = await workspace.run('run', 'desk.ts', 'Where is it?');
  expect(beside).toMatchObject({ code: 4, stderr: expect.stringContaining(`\`${PROGRAM} run desk.ts 'Where is it?' --detach\``) });
  run.kill('SIGKILL');
  await run.ended;
});
afterAll(() => workspace.remove());

test('a session whose process was killed is not shown as running, and each view says how it goes on', async () => {
  const resume = `${PROGRAM} resume ${id} FILE`;
  const { stdout } = await workspace.run('sessions');
  expect(stdout).toContain('unattended');
  expect(stdout).toContain(`${PROGRAM} resume SESSION FILE`);
  expect((await workspace.run('show', id)).stdout).toContain(`Nobody runs this. It goes on with its team's file:\n  ${resume}`);
  const tail = workspace.start(['tail', id]);
  await tail.noted(/Nobody runs this session\. This waits until somebody does: node \S+ resume/);
  // Who has the lock runs what it has claimed since, and nothing else.
  const other = workspace.start(['run', 'desk.ts', '@script [{"tool":"wait"}]']);
  await other.said(/desk → wait/);
  const { sessions } = (await workspace.json('sessions')).document as { sessions: { id: string; status: string }[] };
  expect(sessions.map(({ status }) => status)).toEqual(['unattended', 'running']);
  other.kill('SIGKILL');
  await other.ended;
  workspace.file('go', '');
  expect((await workspace.run('resume', id, 'desk.ts')).code).toBe(0);
  expect(await tail.ended).toMatchObject({ code: 0, stdout: expect.stringContaining('Waited.') });
  expect((await workspace.json('sessions')).document.sessions[0].status).toBe('end_turn');
});

test('a session that another process does not run, though it runs others, is unattended; one that waits for its worker is so without one', async () => {
  const { sessionId } = (await workspace.json('run', 'desk.ts', '@script [{"say":"Hello."}]', '--detach')).document;
  expect((await workspace.json('show', sessionId)).document.session.status).toBe('unattended');
  const worker = workspace.start(['worker', 'desk.ts']);
  await worker.noted(new RegExp(`${sessionId} end_turn`));
  worker.kill('SIGTERM');
  await worker.ended;
  expect((await workspace.json('show', sessionId)).document.session.status).toBe('end_turn');
});

test('show marks a payload that was changed on the disk', async () => {
  expect((await workspace.json('show', id)).document.problems).toEqual([]);
  const db = new DatabaseSync(join(workspace.path, '.dreamfold', 'log.db'));
  db.exec("UPDATE events SET data = replace(data, 'Waited.', 'Wasted.')");
  db.close();
  const { code, stdout } = await workspace.run('show', id);
  expect(code).toBe(3);
  expect(stdout).toMatch(/Wasted\.\n\s+NOT AS WRITTEN: envelope, payload and hash do not agree/);
  expect(stdout).toContain(`\`${PROGRAM} verify\``);
});

test('verify of a file that is no database says what to do, and not to run it', async () => {
  workspace.file(join('.dreamfold', 'log.db'), 'This is no database, however long it may be.'.repeat(200));
  const { code, stderr } = await workspace.run('verify');
  expect(code).toBe(3);
  expect(stderr).toMatch(/^store_corrupt .*\n {2}Restore the data directory from a copy/);
  expect(stderr).not.toContain(`${PROGRAM} verify`);
});
