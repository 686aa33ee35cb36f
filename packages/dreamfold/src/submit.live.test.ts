// Tasks that one process puts on the log and another runs.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { agent, open, rubric, tool } from './index.ts';
import { canonicalSession } from './testing/canonical-session.ts';
import { collect, orphans } from './testing/history.ts';
import { LOGS, temporaryDirectory } from './testing/log-fixtures.ts';
import { HOLD, SAY, TestWorker, begin, finished, quiet, typesOf } from './testing/test-worker.ts';

const look = tool({ name: 'look', description: 'Looks.', input: z.object({ n: z.number() }), effect: 'pure', run: ({ n }) => `saw ${n}` });
const lead = agent({ name: 'lead', system: 'Look.', tools: [look] });
const LOOK = '@script [{"tool":"look","input":{"n":1}},{"say":"done"}]';
const wanted = rubric({ criteria: [{ id: 'done', ask: 'Is it done?', check: ({ text }) => text.includes('done') }] });

describe.each(LOGS)('a task that is submitted: $name', ({ openLog }) => {
  test.each([{}, { rubric: wanted, title: 'A look', principal: 'ann', caps: { turns: 9 } }])(
    'ends as if it had been run: %j',
    async (options) => {
      const log = await openLog();
      const df = await open({ log });
      const id = await df.submit(lead, LOOK, options);
      expect((await collect(df.events(id))).map(({ type }) => type)).toEqual([
        'session.created',
        'rubric' in options ? 'user.define_outcome' : 'user.message',
      ]);
      const submitted = await df.resume(lead, id, 'rubric' in options ? { rubric: wanted } : {});
      const ran = await df.run(lead, LOOK, options);
      await Promise.all([submitted.done(), ran.done()]);
      expect(canonicalSession(submitted.state, () => false)).toEqual(canonicalSession(ran.state, () => false));
      const [one, other] = await Promise.all(
        [id, ran.id].map(async (session) => (await collect(df.events(session))).map(({ type }) => type)),
      );
      // The claim is an append of its own, so it stands after the task.
      expect(one).toEqual([other![0], other![2], other![1], ...other!.slice(3)]);
    },
  );

  test('counts once for its key, however often and wherever it is submitted or run', async () => {
    const log = await openLog();
    const [here, there] = [await open({ log }), await open({ log })];
    const options = { idempotencyKey: 'order-7' };
    const ids = await Promise.all([here, there, here].map((df) => df.submit(lead, LOOK, options)));
    await here.send(ids[0]!, '@script [{"say":"and more"}]');
    expect(new Set([...ids, await there.submit(lead, LOOK, options)]).size).toBe(1);
    await expect(there.submit(lead, 'something else', options)).rejects.toMatchObject({ code: 'idempotency_conflict', value: LOOK });
    const session = await there.run(lead, LOOK, options);
    expect(session.id).toBe(ids[0]);
    await session.done();
    expect(await here.submit(lead, LOOK, options)).toBe(session.id);
    const types = (await collect(here.events(session.id))).map(({ type }) => type);
    // Who has not claimed it writes nothing that only its owner may write.
    expect(types.slice(0, 5)).toEqual(['session.created', 'user.message', 'user.message', 'session.claimed', 'session.status_running']);
    expect(types.filter((type) => type === 'session.claimed')).toHaveLength(1);
  });

  test('is refused as a run is, with nothing written', async () => {
    const log = await openLog();
    const df = await open({ log });
    await expect(df.submit(lead, ' ')).rejects.toMatchObject({ code: 'invalid_argument', path: 'task' });
    await expect(df.submit(lead, 'x', { cap: {} } as object)).rejects.toMatchObject({ code: 'invalid_argument', path: 'cap' });
    await expect(df.submit(lead, 'x', { memory: ['none'] })).rejects.toMatchObject({ code: 'not_found' });
    await expect(df.submit(agent({ name: 'lead', system: '', model: 'nobody' }), 'x')).rejects.toMatchObject({ code: 'unknown_model' });
    expect(await collect(log.streams('session') as never)).toEqual([]);
  });

  test('is never run when it was interrupted before a worker came; what is said afterwards is', async () => {
    const { log, df, gate, lead } = await begin(openLog);
    const id = await df.submit(lead, HOLD);
    expect(await df.interrupt(id)).toBe(true);
    expect(await df.interrupt(id)).toBe(false);
    const worker = new TestWorker(log, [lead]);
    await finished(df, [await df.submit(lead, SAY)]);
    await quiet();
    expect(await typesOf(df, id)).toEqual(['session.created', 'user.message', 'user.interrupt']);
    expect(await df.session(id)).toMatchObject({ status: 'idle', stopReason: { type: 'end_turn' }, interrupted: true });
    await df.send(id, SAY);
    await vi.waitFor(() => expect(worker.told('rested')).toContain(id), { timeout: 20_000 });
    expect(gate.keys).toEqual([]);
    expect(await df.session(id)).toMatchObject({ interrupted: false, threads: [{ lastMessage: { text: 'done' } }] });
  });

  test('is stopped by an interrupt while a worker is there, whether it has begun with it or not', async () => {
    const { log, df, gate, lead } = await begin(openLog);
    const worker = new TestWorker(log, [lead]);
    const ids = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const id = await df.submit(lead, HOLD);
        if (i % 2 === 1) await sleep(i % 5);
        expect(await df.interrupt(id)).toBe(true);
        return id;
      }),
    );
    await vi.waitFor(async () => {
      for (const id of ids) expect(await df.session(id)).toMatchObject({ status: 'idle', interrupted: true, queue: [] });
    });
    gate.letGo();
    await quiet();
    for (const id of ids) {
      expect(await df.session(id)).toMatchObject({ status: 'idle', threads: [{ running: false, lastMessage: null }] });
      expect(orphans(await collect(df.events(id)))).toEqual([]);
    }
    expect(worker.told('failed')).toEqual([]);
  });
});

test('needs no lock: it is submitted beside the process that runs sessions', async () => {
  const directory = temporaryDirectory();
  const runs = await open({ directory });
  await runs.lock();
  const other = await open({ directory });
  const id = await other.submit(lead, LOOK);
  expect((await runs.session(id)).queue).toHaveLength(1);
  await other.close();
  await runs.close();
});
