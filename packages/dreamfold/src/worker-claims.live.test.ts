// Workers that claim sessions of the same partition, rightly or not.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import type { Log } from '@dreamfold/log';
import { brokenHistory } from './testing/history.ts';
import { hookedLog } from './testing/hooked-log.ts';
import { LOGS } from './testing/log-fixtures.ts';
import { HOLD, SAY, TestWorker, begin, finished, quiet } from './testing/test-worker.ts';

/** Ten sessions that two workers take for their own. */
async function beginWithRivals(openLog: () => Promise<Log>) {
  const { log, df, gate, lead } = await begin(openLog);
  const former = new TestWorker(log, [lead]);
  await quiet();
  const rightful = new TestWorker(log, [lead]);
  await quiet();
  const ids = await Promise.all(Array.from({ length: 10 }, () => df.submit(lead, HOLD)));
  return { df, gate, former, rightful, ids };
}

describe.each(LOGS)('workers: $name', ({ openLog }) => {
  test('several that believe to have the same partition: the claim decides, and each session ends once', async () => {
    const { log, df, gate, lead } = await begin(openLog);
    gate.letGo();
    const ids = await Promise.all(Array.from({ length: 20 }, () => df.submit(lead, HOLD)));
    const workers = [1, 2, 3].map(() => new TestWorker(log, [lead]));
    ids.push(...(await Promise.all(Array.from({ length: 20 }, () => df.submit(lead, HOLD)))));
    await finished(df, ids);
    expect(workers.flatMap((worker) => worker.told('failed'))).toEqual([]);
    expect(new Set(gate.keys).size).toBe(40);
    for (const id of ids) expect(brokenHistory(await df.session(id))).toEqual([]);
    await Promise.all(workers.map((worker) => worker.stop()));
  });

  test('takes up what one that had lost the partition, and did not know it yet, has claimed there', async () => {
    const { df, gate, former, rightful, ids } = await beginWithRivals(openLog);
    await vi.waitFor(() => expect(gate.entered).toBeGreaterThanOrEqual(10), { timeout: 20_000 });
    former.assign();
    rightful.assign(0);
    gate.letGo();
    await finished(df, ids);
    expect(new Set(gate.keys).size).toBe(10);
  });

  test('takes up what one that has lost the partition was faster to claim, without being told of the partition again', async () => {
    const { df, gate, former, rightful, ids } = await beginWithRivals(openLog);
    await vi.waitFor(() => expect(former.told('taken').length).toBeGreaterThan(0), { timeout: 20_000 });
    await quiet();
    former.assign();
    gate.letGo();
    await finished(df, ids);
    expect(new Set(gate.keys).size).toBe(10);
    expect(rightful.told('failed')).toEqual([]);
  });

  test('takes up again what one that has lost the partition took away from it and let go of', async () => {
    const { log, df, gate, lead } = await begin(openLog);
    const rightful = new TestWorker(log, [lead]);
    const id = await df.submit(lead, HOLD);
    await vi.waitFor(() => expect(gate.entered).toBe(1), { timeout: 20_000 });
    const former = new TestWorker(log, [lead]);
    await vi.waitFor(() => expect(rightful.told('lost')).toEqual([id]), { timeout: 20_000 });
    former.assign();
    gate.letGo();
    await finished(df, [id]);
    expect(rightful.told('taken')).toEqual([id, id]);
    expect(new Set(gate.keys).size).toBe(1);
  });

  test('leaves a session with the program that took it away', async () => {
    const { log, df, gate, lead } = await begin(openLog);
    const worker = new TestWorker(log, [lead]);
    const id = await df.submit(lead, HOLD);
    await vi.waitFor(() => expect(gate.entered).toBe(1), { timeout: 20_000 });
    const session = await df.resume(lead, id);
    await vi.waitFor(() => expect(worker.told('lost')).toEqual([id]), { timeout: 20_000 });
    await sleep(5_000);
    gate.letGo();
    await session.done();
    expect(worker.told('taken')).toEqual([id]);
  });

  test('takes up what was claimed while the partition came to it', async () => {
    const { log, df, lead } = await begin(openLog);
    const tells = hookedLog(log, async (_, append) => {
      const appended = await append();
      await sleep(20);
      return appended;
    });
    const asks = hookedLog(log, async (_, append) => {
      await sleep(20);
      return append();
    });
    const former = new TestWorker(tells, [lead]);
    const next = new TestWorker(asks, [lead], { partitions: [] });
    await quiet();
    const ids = await Promise.all(Array.from({ length: 5 }, () => df.submit(lead, SAY)));
    next.assign(0);
    await sleep(2);
    former.assign();
    await finished(df, ids);
  });
  test('takes up what the worker of the partition does not, and keeps it when partitions move', async () => {
    const { log, df, gate, lead } = await begin(openLog);
    const other = new TestWorker(log, [lead], { partitions: [] });
    const id = await df.submit(lead, HOLD);
    await vi.waitFor(() => expect(gate.entered).toBe(1), { timeout: 20_000 });
    const rightful = new TestWorker(log, [lead]);
    rightful.assign(0);
    other.assign();
    await sleep(1_000);
    gate.letGo();
    await finished(df, [id]);
    expect([other.told('taken'), rightful.told('taken')]).toEqual([[id], []]);
    expect(gate.keys).toHaveLength(1);
  });
});
