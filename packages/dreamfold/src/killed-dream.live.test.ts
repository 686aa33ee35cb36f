import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { z } from 'zod';
import { agent, open, scripted, tool, type DreamfoldError } from './index.ts';
import type { DreamScenarioReport } from './testing/dream-scenario.ts';

const root = mkdtempSync(join(tmpdir(), 'dreamfold-killed-dream-'));
afterAll(() => rmSync(root, { recursive: true }));

/** Begins a dream, says so, and gets no further. */
const DREAMER = `
  import { writeSync } from 'node:fs';
  const { open } = await import(${JSON.stringify(new URL('index.ts', import.meta.url).href)});
  const [directory, session] = process.argv.slice(1);
  const dreamfold = await open({ directory });
  const hang = () => { writeSync(1, 'claimed'); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); };
  await dreamfold.dream({ store: 'desk', sessions: [session], onProgress: hang });`;

test('a dream whose process was killed is gone on with at once; one that lives says whose it is', async () => {
  const directory = join(root, 'data');
  const dreamfold = await open({ directory });
  await dreamfold.memory.create({ name: 'desk', description: '', approval: 'manual' }, 'person:ann');
  const session = await dreamfold.run(agent({ name: 'lead', system: '' }), 'Begin.');
  await session.done();
  const child = spawn(process.execPath, ['--input-type=module', '-e', DREAMER, directory, session.id], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  expect(String((await once(child.stdout, 'data'))[0])).toBe('claimed');

  const locked = await dreamfold.dream({ store: 'desk' }).catch((error: DreamfoldError) => error);
  expect(locked).toMatchObject({ code: 'store_locked' });
  expect((locked as DreamfoldError).message).toContain(`process ${child.pid} on ${hostname()}, until 20`);

  child.kill('SIGKILL');
  await once(child, 'exit');
  const { dreamId } = await dreamfold.dream({ store: 'desk' });
  const dreams = await dreamfold.dreams.list();
  expect(dreams.map(({ id, state }) => [id, state.status, state.started?.by?.pid, state.by?.pid])).toEqual([
    [dreamId, 'completed', child.pid, process.pid],
  ]);
  await dreamfold.close();
});

/** One round proves nothing to a store that applies changes by itself. */
const ROUNDS = 4;
const REQUESTS = [
  ['ann', 'billing', 'A refund, please.'],
  ['bob', 'billing', 'Where is my refund?'],
  ['cem', 'billing', 'No refund came.'],
  ['dee', 'account', 'Change my email.'],
  ['eva', 'account', 'My email is wrong.'],
  ['fay', 'account', 'Which email do you have?'],
] as const;

/** Sessions of a desk whose every request goes to billing first, each with the desk's word on it. */
async function workAtDesk(directory: string): Promise<void> {
  const dreamfold = await open({ directory });
  await dreamfold.memory.create({ name: 'desk', description: '', approval: 'auto' }, 'person:ann');
  const input = z.object({ queue: z.enum(['billing', 'account']) });
  const route = tool({ name: 'route', description: 'Routes a request.', input, effect: 'pure', run: () => 'Done.' });
  const model = scripted(({ messages }) => (messages.length > 1 ? 'Done.' : [{ tool: 'route', input: { queue: 'billing' } }]));
  const router = agent({ name: 'router', system: '', model, tools: [route] });
  const asked = Array.from({ length: ROUNDS }, (_, i) => REQUESTS.map(([who, ...rest]) => [`${who}${i}`, ...rest] as const)).flat();
  for (const [id, right, request] of asked) {
    const session = await dreamfold.run(router, request, { principal: { id, authenticated: true } });
    let call = '';
    session.on('agent.tool_use', (event) => void (call = event.id));
    await session.done();
    const answer = right === 'billing' ? { verdict: 'right' as const } : { verdict: 'wrong' as const, right_answer: { queue: right } };
    await session.feedback({ judges: call, ...answer, by: 'desk', class: 'desk' });
  }
  await dreamfold.close();
}

const SCENARIO = join(import.meta.dirname, 'testing', 'dream-scenario.ts');

/** @returns what the program printed, null when it killed itself */
function dreamIn(directory: string, point = ''): DreamScenarioReport | null {
  const { signal, status, stdout, stderr } = spawnSync(process.execPath, [SCENARIO, directory, point], { encoding: 'utf8' });
  if (signal === 'SIGKILL') return null;
  expect({ point, status, stderr }).toEqual({ point, status: 0, stderr: '' });
  return JSON.parse(stdout) as DreamScenarioReport;
}

test('wherever the process of a dream is killed, the next one comes to the same, and asks nobody twice who has answered', async () => {
  const desk = join(root, 'desk');
  await workAtDesk(desk);
  const copy = (name: string): string => {
    cpSync(desk, join(root, name), { recursive: true });
    return join(root, name);
  };
  const { appends, asked, ...whole } = dreamIn(copy('whole'))!;
  expect(whole.dreams).toMatchObject([{ status: 'completed', insights: { length: 3 } }]);
  expect(asked).toHaveLength(1);
  // Before an append there is what stands after the one before it: that is killed in memory, where it takes no process.
  const points = Array.from({ length: appends }, (_, i) => `after:${i + 1}`);
  for (const point of ['before:1', 'asked', ...points]) {
    const directory = copy(point);
    expect([point, dreamIn(directory, point)]).toEqual([point, null]);
    const { appends: _, asked: keys, ...end } = dreamIn(directory)!;
    expect({ point, ...end }).toEqual({ point, ...whole });
    // Asked for again is only what was on its way when it was killed, and with the same key.
    expect([point, keys]).toEqual([point, point === 'asked' ? [...asked, ...asked] : asked]);
  }
}, 300_000);
