// An operator deletes the topics of a log: nobody begins another one, and the replicas give it back.
import { createRequire } from 'node:module';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { DESK, Workspace } from './testing/dreamfold-process.ts';

const workspace = new Workspace();
afterAll(() => workspace.remove());
const prefix = `lost-${process.pid}-${Date.now()}`;
const url = `kafka://${inject('kafkaBrokers')}/${prefix}`;
const here = ['--log', url, '--data', 'here'];
const sessions: string[] = [];

interface Admin {
  connect: () => Promise<void>;
  listTopics: () => Promise<string[]>;
  deleteTopics: (options: { topics: string[] }) => Promise<void>;
  disconnect: () => Promise<void>;
}

/** Does what an operator does with tools of his own. */
async function asAdmin<Result>(run: (admin: Admin) => Promise<Result>): Promise<Result> {
  const require = createRequire(new URL('../../../packages/log-kafka/package.json', import.meta.url));
  const { Kafka, logLevel } = require('kafkajs') as {
    Kafka: new (options: object) => { admin: () => Admin };
    logLevel: { NOTHING: number };
  };
  const admin = new Kafka({ brokers: inject('kafkaBrokers').split(','), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await run(admin);
  } finally {
    await admin.disconnect();
  }
}

const topics = async (): Promise<string[]> =>
  (await asAdmin((admin) => admin.listTopics())).filter((name) => name.startsWith(`${prefix}.`));

/** The folder of the log in a machine's data directory. */
function folderIn(machine: string): string {
  const root = join('kafka', prefix);
  return join(
    machine,
    root,
    readdirSync(join(workspace.path, machine, root)).find((name) => name.startsWith('log_'))!,
  );
}

beforeAll(async () => {
  workspace.file('desk.ts', DESK);
  workspace.file('note.md', 'Never promise a refund.\n');
  expect((await workspace.run('memory', 'create', 'desk', ...here)).code).toBe(0);
  expect((await workspace.run('memory', 'write', 'desk', '/note.md', 'note.md', ...here)).code).toBe(0);
  for (let i = 0; i < 3; i += 1) {
    const { document } = await workspace.json('run', 'desk.ts', '@script [{"say":"Hi."}]', '--memory', 'desk', ...here);
    sessions.push(document.sessionId);
  }
});

test('a worker whose topic is deleted ends with it, and makes none', async () => {
  const worker = workspace.start(['worker', 'desk.ts', '--log', url, '--data', 'worker']);
  await worker.noted(/working on the sessions/);
  await asAdmin((admin) => admin.deleteTopics({ topics: [`${prefix}.events`] }));
  const { code, stderr } = await worker.ended;
  expect(code).toBe(3);
  expect(stderr).toMatch(/log_diverged .*is not the log that this machine has a replica of, log_\w+: there is no topic/);
  expect(await topics()).not.toContain(`${prefix}.events`);
});

test.for([
  [['sessions']],
  [['verify']],
  [['show', 'SESSION']],
  [['memory', 'create', 'desk']],
  [['run', 'desk.ts', 'Hello', '--detach']],
  [['worker', 'desk.ts']],
  [['export', '--out', 'none.jsonl']],
])('%j ends with log_diverged', async ([args]) => {
  const { code, document } = await workspace.json(...args!.map((arg) => (arg === 'SESSION' ? sessions[0]! : arg)), ...here);
  expect([code, document.error.code]).toEqual([3, 'log_diverged']);
  expect(document.error.remedy).toMatch(/repair --from-replica .*--replica DIR.*--accept-new-log/);
  expect(await topics()).not.toContain(`${prefix}.events`);
});

test('what a replica holds is read without the brokers, by every command that looks', async () => {
  const replica = ['--replica', folderIn('here')];
  const listed = await workspace.run('sessions', ...replica);
  for (const session of sessions) expect(listed.stdout).toContain(session);
  expect((await workspace.run('show', sessions[1]!, ...replica)).stdout).toContain('Hi.');
  expect((await workspace.json('verify', ...replica)).document).toMatchObject({ ok: true, problems: [] });
  expect(await workspace.run('export', '--out', 'saved.jsonl', ...replica)).toMatchObject({ code: 0, stderr: '' });
  expect((await workspace.run('import', 'saved.jsonl', '--format', 'dreamfold', '--data', 'copy')).code).toBe(0);
  expect((await workspace.run('memory', 'show', 'desk', '--data', 'copy')).stdout).toContain('Never promise a refund.');
  const written = await workspace.json('send', sessions[0]!, 'More', ...replica);
  expect([written.code, written.document.error.code]).toEqual([3, 'store_read_only']);
  expect((await workspace.json('sessions', '--replica', 'nowhere')).document.error.code).toBe('not_found');
  expect(existsSync(join(workspace.path, folderIn('here'), '1', 'replica', 'views.db'))).toBe(false);
});

test('a repair gives it back to all machines', async () => {
  await asAdmin(async (admin) => admin.deleteTopics({ topics: await topics() }));
  await vi.waitFor(async () => expect(await topics()).toEqual([]), 10_000);
  const args = ['repair', '--from-replica', folderIn('here')];
  expect((await workspace.json(...args)).document.error.path).toBe('--log');
  const { code, stdout } = await workspace.run(...args, ...here);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^log_\w+ is there: \d+ events and 0 blobs, of which \d+ events were missing\.\n$/);
  for (const machine of ['here', 'worker', 'fresh']) {
    const listed = await workspace.json('sessions', '--log', url, '--data', machine);
    expect(listed.code).toBe(0);
    expect(listed.document.sessions.map(({ id }: { id: string }) => id).sort()).toEqual(sessions.toSorted());
  }
  expect((await workspace.run('run', 'desk.ts', '@script [{"say":"Again."}]', '--memory', 'desk', ...here)).stdout).toContain('Again.');
  expect((await workspace.json('verify', '--log', url, '--data', 'fresh')).document).toMatchObject({ ok: true });
});
