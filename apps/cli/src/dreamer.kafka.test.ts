// Dreamers in a group of their own, on a real broker.
import { join } from 'node:path';
import { open, type Dreamfold } from 'dreamfold';
import { afterAll, beforeAll, expect, inject, onTestFinished, test, vi } from 'vitest';
import { DESK, Workspace, type Running } from './testing/dreamfold-process.ts';

const workspace = new Workspace();
afterAll(() => workspace.remove());
beforeAll(() => void workspace.file('desk.ts', DESK));

const HELLO = '@script [{"say":"Hello."}]';
const STORES = ['desk', 'sales', 'tax', 'law'];

/** The sessions that dreams have reviewed, by store. */
async function reviewed(df: Dreamfold): Promise<Map<string, string[]>> {
  const byStore = new Map<string, string[]>(STORES.map((store) => [store, []]));
  for (const { state } of await df.dreams.list()) {
    if (state.status !== 'completed') continue;
    const store = STORES.find((name) => df.memory.idOf(name) === state.started?.store_id);
    byStore.get(store!)!.push(...state.reviewed.sessions.map(({ session_id: id }) => id));
  }
  return byStore;
}

test('two of them share the stores, and of one that is killed the other dreams on: each session once for each store', async () => {
  const url = `kafka://${inject('kafkaBrokers')}/dreamers-${process.pid}?partitions=6&session_timeout_ms=2000`;
  const df = await open({ log: url, directory: join(workspace.path, 'test') });
  onTestFinished(() => df.close());
  for (const store of STORES) await df.memory.create({ name: store, description: '', approval: 'auto' }, 'person:ann');
  const start = async (data: string): Promise<Running> => {
    const dreamer = workspace.start(['dreamer', ...STORES.flatMap((store) => ['--store', store]), '--log', url, '--data', data]);
    await dreamer.noted(/Following the log/);
    return dreamer;
  };
  const [first, second] = await Promise.all([start('one'), start('two')]);
  const run = async (count: number): Promise<string[]> => {
    const ids: string[] = [];
    for (let i = 0; i < count; i += 1) {
      const { document } = await workspace.json('run', 'desk.ts', HELLO, '--log', url, '--data', 'runner');
      ids.push(document.sessionId as string);
    }
    return ids;
  };
  const dreamtOf = (ids: readonly string[]): Promise<void> =>
    vi.waitFor(
      async () => expect([...(await reviewed(df)).values()].map((each) => each.toSorted())).toEqual(STORES.map(() => ids.toSorted())),
      { timeout: 30_000, interval: 200 },
    );
  const before = await run(2);
  await dreamtOf(before);
  const dreams = ({ stderr }: Running): number => stderr.match(/ drm_/g)?.length ?? 0;
  // What a dream has written is there before its dreamer says so.
  await vi.waitFor(() => expect(Math.min(dreams(first), dreams(second))).toBeGreaterThan(0), 10_000);
  first.kill('SIGKILL');
  await first.ended;
  await dreamtOf([...before, ...(await run(2))]);
  second.kill('SIGTERM');
  expect((await second.ended).code).toBe(0);
});
