import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { agent, open, scripted, tool } from 'dreamfold';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { DESK, Workspace } from '../../testing/dreamfold-process.ts';

const workspace = new Workspace();
afterAll(() => workspace.remove());

const HELLO = '@script [{"say":"Hello."}]';

const route = tool({
  name: 'route',
  description: 'Routes a ticket.',
  input: z.object({ queue: z.enum(['account', 'billing', 'technical']) }),
  effect: 'pure',
  run: () => 'ok',
});
const model = scripted((request) => (request.messages.length === 1 ? { tool: 'route', input: { queue: 'account' } } : 'Routed.'));
const router = agent({ name: 'router', system: 'Route.', tools: [route], model });

/** One round proves nothing to a store that applies changes by itself. */
const ROUNDS = 4;
const TICKETS = [
  ['ann', 'I would like a refund', 'billing'],
  ['bob', 'Please refund the second charge', 'billing'],
  ['cem', 'A refund was promised', 'billing'],
  ['eva', 'The app crashes at once', 'technical'],
  ['fay', 'It crashes on start', 'technical'],
  ['gus', 'Why crashes it again', 'technical'],
] as const;

/** A data directory with a store and sessions that a dream learns from. */
async function lessons(data: string): Promise<void> {
  const df = await open({ directory: join(workspace.path, data) });
  await df.memory.create({ name: 'desk', description: '', approval: 'auto' }, 'person:ann');
  const asked = Array.from({ length: ROUNDS }, (_, i) => TICKETS.map(([who, ...rest]) => [`${who}${i}`, ...rest] as const)).flat();
  for (const [principal, request, queue] of asked) {
    const session = await df.run(router, request, { principal: { id: principal, authenticated: true } });
    let call = '';
    session.on('agent.tool_use', ({ id }) => (call = id));
    await session.done();
    await session.feedback({ judges: call, verdict: 'wrong', right_answer: { queue }, by: 'desk', class: 'desk' });
  }
  await df.close();
}

/** The sessions of the completed dreams of a data directory, in order. */
async function dreamt(data: string): Promise<string[][]> {
  const df = await open({ directory: join(workspace.path, data), readOnly: true });
  const dreams = await df.dreams.list();
  await df.close();
  return dreams
    .filter(({ state }) => state.status === 'completed')
    .map(({ state }) => state.reviewed.sessions.map(({ session_id: id }) => id));
}

beforeAll(() => workspace.file('desk.ts', DESK));

describe('beside the processes that run sessions', () => {
  test('it dreams after every so many, says so in a line, and ends with 0 on SIGTERM', async () => {
    const data = ['--data', 'beside'];
    await workspace.run('memory', 'create', 'desk', ...data);
    await workspace.run('run', 'desk.ts', HELLO, ...data);
    const dreamer = workspace.start(['dreamer', '--store', 'desk', '--every', '3', ...data]);
    await dreamer.noted(/Following the log/);
    for (let i = 0; i < 3; i += 1) expect((await workspace.run('run', 'desk.ts', HELLO, ...data)).code).toBe(0);
    await dreamer.noted(/^\d{4}-\S+Z desk drm_\w+: 3 sessions, 0 decisions, 0 with feedback; 0 applied, 0 proposed, 0 rejected$/m);
    dreamer.kill('SIGTERM');
    expect(await dreamer.ended).toMatchObject({ code: 0, signal: null, stdout: '' });
    expect((await dreamt('beside')).map((sessions) => sessions.length)).toEqual([3]);
  });

  test('two of them review each session once', async () => {
    const data = ['--data', 'two'];
    await workspace.run('memory', 'create', 'desk', ...data);
    const dreamers = [1, 2].map(() => workspace.start(['dreamer', '--store', 'desk', ...data]));
    for (const dreamer of dreamers) await dreamer.noted(/Following the log/);
    const ids: string[] = [];
    for (let i = 0; i < 4; i += 1) ids.push((await workspace.json('run', 'desk.ts', HELLO, ...data)).document.sessionId as string);
    await vi.waitFor(async () => expect((await dreamt('two')).flat().toSorted()).toEqual(ids.toSorted()), 5000);
    for (const dreamer of dreamers) dreamer.kill('SIGINT');
    for (const dreamer of dreamers) expect((await dreamer.ended).code).toBe(0);
  });
});

test('--once dreams what is due and ends; there is nothing left for the second one', async () => {
  await lessons('once');
  const none = await workspace.json('dreamer', '--store', 'desk', '--once', '--every', '25', '--data', 'once');
  expect(none).toEqual({ code: 0, document: { dreams: [] } });
  await workspace.run('memory', 'create', 'other', '--data', 'once');
  const both = await workspace.run('dreamer', '--store', 'desk', '--store', 'other', '--once', '--every', '25', '--data', 'once');
  expect(both).toMatchObject({ code: 0, stdout: '', stderr: expect.stringMatching(/^\d{4}-\S+Z nothing was due for desk, other\n$/) });
  const { code, document } = await workspace.json('dreamer', '--store', 'desk', '--once', '--data', 'once');
  expect(code).toBe(0);
  expect(document.dreams).toMatchObject([{ store: 'desk', sessions: 24, decisions: 24, labelled: 24, proposed: 0 }]);
  expect(document.dreams[0].applied).toBeGreaterThan(0);
  expect(await workspace.json('dreamer', '--store', 'desk', '--once', '--data', 'once')).toEqual({ code: 0, document: { dreams: [] } });
});

test('on a schedule it dreams when there is anything new', async () => {
  await lessons('scheduled');
  const dreamer = workspace.start(['dreamer', '--store', 'desk', '--schedule', '* * * * * *', '--data', 'scheduled']);
  await dreamer.noted(/desk drm_\w+: 24 sessions/);
  await sleep(1500);
  dreamer.kill('SIGTERM');
  expect((await dreamer.ended).code).toBe(0);
  expect(await dreamt('scheduled')).toHaveLength(1);
});

describe('a signal', () => {
  // Holds the dream up at its first insight until there is a file called `go`.
  const HOLD = `import { existsSync, writeFileSync } from 'node:fs';
const pause = new Int32Array(new SharedArrayBuffer(4));
export default [() => {
  writeFileSync('begun', '');
  while (!existsSync('go')) Atomics.wait(pause, 0, 0, 10);
  return null;
}];`;

  test('lets the dream under way come to its end', async () => {
    await lessons('signalled');
    workspace.file('hold.ts', HOLD);
    const dreamer = workspace.start(['dreamer', '--store', 'desk', '--rules', 'hold.ts', '--data', 'signalled']);
    await vi.waitFor(() => expect(existsSync(join(workspace.path, 'begun'))).toBe(true), 10_000);
    dreamer.kill('SIGINT');
    await sleep(100);
    workspace.file('go', '');
    const { code, stderr } = await dreamer.ended;
    expect(code).toBe(0);
    expect(stderr).toMatch(/Ending after the dream under way/);
    expect(stderr).toMatch(/desk drm_\w+: 24 sessions/);
    expect(await dreamt('signalled')).toHaveLength(1);
  });
});

test('a dream that fails three times in a row for the same reason ends it with the error', async () => {
  await lessons('failing');
  // More than an event may say.
  workspace.file('endless.ts', `export default [() => 'no '.repeat(1_000_000)];`);
  const { code, stderr } = await workspace.run('dreamer', '--store', 'desk', '--rules', 'endless.ts', '--data', 'failing');
  expect(code).not.toBe(0);
  expect(code).not.toBeNull();
  expect([...stderr.matchAll(/desk: the dream failed \((\d) in a row\): (\w+)/g)].map(([, n]) => n)).toEqual(['1', '2', '3']);
  expect(await dreamt('failing')).toEqual([]);
});

describe('is refused', () => {
  beforeAll(() => workspace.run('memory', 'create', 'desk', '--data', 'bad'));

  test.each<[args: string[], code: string, message: RegExp]>([
    [[], 'invalid_argument', /--store/],
    [['--store', 'desk', '--every', '0'], 'invalid_argument', /whole number from 1/],
    [['--store', 'desk', '--every', 'x'], 'invalid_argument', /whole number from 1/],
    [['--store', 'desk', '--schedule', 'daily'], 'invalid_argument', /"daily" is no schedule/],
    [['--store', 'desk', '--schedule', '0 0 30 2 *'], 'invalid_argument', /never come/],
    [['--store', 'desk', '--schedule', '0 3 * * *', '--once'], 'invalid_argument', /cannot be used with/],
    [['--store', 'desk', '--store', 'desk'], 'invalid_argument', /named twice/],
    [['--store', 'nobody'], 'not_found', /nobody/],
    [['--store', 'desk', '--rules', 'nope.txt'], 'not_found', /nope\.txt/],
  ])('%j', async (args, code, message) => {
    const { code: exit, document } = await workspace.json('dreamer', ...args, '--data', 'bad');
    expect(exit).toBe(2);
    expect(document.error).toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect(document.error.remedy).not.toBe('');
  });

  test('without data, and makes none', async () => {
    const { code, document } = await workspace.json('dreamer', '--store', 'desk', '--data', 'none');
    expect([code, document.error.code]).toEqual([2, 'not_found']);
    expect(existsSync(join(workspace.path, 'none'))).toBe(false);
  });
});
