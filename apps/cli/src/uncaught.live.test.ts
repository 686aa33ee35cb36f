// What no `try` of a command sees: errors of timers, and a log that was changed on the disk.
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { open } from 'dreamfold';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Workspace } from './testing/dreamfold-process.ts';

const workspace = new Workspace();
afterAll(() => workspace.remove());

const LATE = `
import { agent, tool } from 'dreamfold';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
const ways = {
  timer: () => setTimeout(() => { throw new Error('too late'); }, 10),
  promise: () => Promise.reject(new Error('too late')),
  odd: () => setTimeout(() => { throw 'too late'; }, 10),
};
const late = tool({ name: 'late', description: 'd', input: z.object({ way: z.string() }), effect: 'pure', run: async ({ way }) => { void ways[way]?.(); await sleep(way === 'none' ? 0 : 5000); return 'done'; } });
export default agent({ name: 'lead', system: '', tools: [late] });
`;
const task = (way: string): string => `@script [{"tool":"late","input":{"way":"${way}"}},{"say":"Done."}]`;

describe('an error that nobody caught', () => {
  beforeAll(() => workspace.file('late.ts', LATE));

  test.each([
    ['timer', /^tool_failed .* caught by nobody: too late \(\S+late\.ts:6:\d+\)$/m],
    ['promise', /^tool_failed .* caught by nobody: too late \(\S+late\.ts:7:\d+\)$/m],
    ['odd', /^tool_failed .* caught by nobody: too late$/m],
  ])('of a %s is told in one line, and the session can go on', async (way, says) => {
    const { code, stderr } = await workspace.run('run', 'late.ts', task(way), '--data', way);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(says) });
    expect(stderr).not.toMatch(/^ +at /m);
    expect(stderr).not.toContain('ended before it was done');
    workspace.file('late.ts', LATE.replace("void ways[way]?.(); await sleep(way === 'none' ? 0 : 5000);", ''));
    const { document } = await workspace.json('sessions', '--data', way);
    expect((await workspace.run('resume', document.sessions[0].id, 'late.ts', '--data', way)).stdout).toContain('Done.');
    workspace.file('late.ts', LATE);
  });

  test('is the one document with --json', async () => {
    const { code, document } = await workspace.json('run', 'late.ts', task('timer'), '--data', 'json');
    expect([code, document.error.code]).toEqual([1, 'tool_failed']);
  });
});

describe('a payload that was changed on the disk', () => {
  let id = '';
  const change = (payload: (data: Record<string, unknown>) => unknown): void => {
    const db = new DatabaseSync(join(workspace.path, '.dreamfold', 'log.db'));
    const row = db
      .prepare(`SELECT e.position, e.data FROM events e JOIN streams s ON s.id = e.stream WHERE s.name = ? AND e.seq = 1`)
      .get(`session/${id}`) as { position: number; data: string };
    const data = JSON.stringify(payload(JSON.parse(row.data) as Record<string, unknown>));
    db.prepare('UPDATE events SET data = ? WHERE position = ?').run(data, row.position);
    db.close();
  };
  beforeAll(async () => {
    workspace.file('late.ts', LATE);
    await workspace.run('run', 'late.ts', task('none'));
    id = (await workspace.json('sessions')).document.sessions[0].id;
  });

  test.each([
    ['replay', ['replay', 'SESSION'], { team: 7 }],
    ['replay of all', ['replay'], { team: { lead: 'lead', agents: 7 } }],
    ['show', ['show', 'SESSION'], { principal: [] }],
  ])('makes %s say that the log is not what was written', async (...[, args, wrong]) => {
    let good: unknown;
    change((data) => ({ ...((good = data) as object), ...wrong }));
    const { code, stderr } = await workspace.run(...args.map((arg) => (arg === 'SESSION' ? id : arg)));
    change(() => good);
    expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringMatching(/^store_corrupt .*#1: .*\n {2}Run `node \S+ verify`/) });
  });

  test('says of a beginning that was erased what it is', async () => {
    const dreamfold = await open({ directory: join(workspace.path, '.dreamfold') });
    await dreamfold.log.erasure.erase(`session/${id}`, { seqs: [1], reason: 'asked for' });
    await dreamfold.close();
    for (const args of [
      ['send', id, 'More.'],
      ['resume', id, 'late.ts'],
    ]) {
      const { code, document } = await workspace.json(...args);
      expect([code, document.error]).toMatchObject([
        2,
        { code: 'session_ended', message: `The beginning of ${id} was erased, so it can't go on` },
      ]);
    }
  });
});
