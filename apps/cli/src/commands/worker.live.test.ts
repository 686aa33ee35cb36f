import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { DESK, REFUND, Workspace } from '../testing/dreamfold-process.ts';

const workspace = new Workspace();
afterAll(() => workspace.remove());
beforeAll(() => void workspace.file('desk.ts', DESK));

const HELLO = '@script [{"say":"Hello."}]';
const WAIT = '@script [{"tool":"wait","input":{}},{"say":"Waited."}]';

async function submitted(data: string, task: string): Promise<string> {
  const { code, document } = await workspace.json('run', 'desk.ts', task, '--detach', '--data', data);
  expect({ code, document }).toEqual({ code: 0, document: { sessionId: expect.stringMatching(/^sesn_/) } });
  return document.sessionId as string;
}

describe('a worker of a data directory', () => {
  test('runs what was put on the log before it came and while it is there, and ends with 0 on SIGTERM', async () => {
    const before = await submitted('some', HELLO);
    const worker = workspace.start(['worker', 'desk.ts', '--data', 'some']);
    await worker.noted(new RegExp(`^\\d{4}-\\S+Z ${before} taken\\n(.*\\n)*\\S+ ${before} end_turn$`, 'm'));
    const after = await submitted('some', HELLO);
    await worker.noted(new RegExp(`${after} end_turn$`, 'm'));
    worker.kill('SIGTERM');
    const { stderr, ...ended } = await worker.ended;
    expect(ended).toEqual({ code: 0, signal: null, stdout: '' });
    expect(
      stderr
        .trimEnd()
        .split('\n')
        .filter((line) => !/^\d{4}-\S+Z \S/.test(line)),
    ).toEqual([]);
    const { stdout } = await workspace.run('sessions', '--data', 'some');
    expect(stdout.match(/end_turn|idle|done/g)).toHaveLength(2);
  });

  test('goes on when a person, in another terminal, has given the word', async () => {
    const worker = workspace.start(['worker', 'desk.ts', '--data', 'asked', '--json']);
    await worker.noted(/Waiting for sessions/);
    const id = await submitted('asked', REFUND);
    await worker.noted(new RegExp(`${id} requires_action`));
    const { document } = await workspace.json('show', id, '--data', 'asked');
    expect((await workspace.run('approve', id, document.waiting[0].call as string, '--data', 'asked')).code).toBe(0);
    await worker.noted(new RegExp(`${id} end_turn`));
    worker.kill('SIGINT');
    const { code, stdout } = await worker.ended;
    expect({ code, document: JSON.parse(stdout) }).toEqual({
      code: 0,
      document: { rested: 2, handed_over: 0, lost: 0, left: 0, failed: 0 },
    });
  });

  test('the next one goes on where one was killed; two at once are refused', async () => {
    const id = await submitted('killed', WAIT);
    const first = workspace.start(['worker', 'desk.ts', '--data', 'killed']);
    await first.noted(new RegExp(`${id} taken`));
    expect(await workspace.run('worker', 'desk.ts', '--data', 'killed')).toMatchObject({ code: 4 });
    first.kill('SIGKILL');
    await first.ended;
    workspace.file('go', '');
    const next = workspace.start(['worker', 'desk.ts', '--data', 'killed']);
    await next.noted(new RegExp(`${id} end_turn`));
    next.kill('SIGTERM');
    expect((await next.ended).code).toBe(0);
  });

  test('a team that it lacks is left alone, with what to do', async () => {
    workspace.file('other.ts', DESK.replace("name: 'desk'", "name: 'other'"));
    const id = await submitted('lacks', HELLO);
    const worker = workspace.start(['worker', 'other.ts', '--data', 'lacks']);
    await worker.noted(new RegExp(`${id} left alone: unknown_agent .* Start a worker with the file of that team`));
    worker.kill('SIGTERM');
    expect((await worker.ended).code).toBe(0);
  });
});

describe('while no broker is there', () => {
  const nowhere = ['--log', 'kafka://127.0.0.1:1/nowhere', '--data', 'nowhere'];

  test.each([
    ['worker', 'desk.ts'],
    ['dreamer', '--store', 'desk'],
  ])('%s waits, with a line, and ends with 0 on SIGTERM', async (...args) => {
    const waiting = workspace.start([...args, ...nowhere]);
    await waiting.noted(/^\S+Z Kafka at 127\.0\.0\.1:1: connecting failed: .+ It is tried again until a broker answers\.$/m);
    waiting.kill('SIGTERM');
    expect((await waiting.ended).code).toBe(0);
  });

  test('a dreamer that is started for one dream ends with 3', async () => {
    expect(await workspace.run('dreamer', '--store', 'desk', '--once', ...nowhere)).toMatchObject({ code: 3 });
  });
});

test.each([
  ['worker desk.ts', { rested: 0, handed_over: 0, lost: 0, left: 0, failed: 0 }],
  ['dreamer --store desk', { dreams: [] }],
])('%s is ended by a signal while it opens a log that does not answer', async (command, document) => {
  const broker = createServer();
  onTestFinished(() => void broker.close());
  broker.listen(0, '127.0.0.1');
  await once(broker, 'listening');
  const url = `kafka://127.0.0.1:${(broker.address() as AddressInfo).port}/silent`;
  const opening = workspace.start([...command.split(' '), '--log', url, '--data', 'silent', '--json']);
  await once(broker, 'connection');
  const before = performance.now();
  opening.kill('SIGTERM');
  const { code, stdout } = await opening.ended;
  expect({ code, document: JSON.parse(stdout) }).toEqual({ code: 0, document });
  expect(performance.now() - before).toBeLessThan(3000);
});
