// Sessions that are taken up by whoever has the partition: submitted, asked for something while at rest, left behind.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { DreamfoldError, streamOf } from '@dreamfold/events';
import { agent, open } from './index.ts';
import { brokenHistory, collect, orphans } from './testing/history.ts';
import { hookedLog } from './testing/hooked-log.ts';
import { LOGS } from './testing/log-fixtures.ts';
import { addNewerEvent } from './testing/newer-event.ts';
import { ASK, Gate, HOLD, SAY, TestWorker, begin, count, finished, quiet, teamOf, typesOf } from './testing/test-worker.ts';

describe.each(LOGS)('a worker: $name', ({ openLog }) => {
  test('runs what was submitted before it came and what is submitted while it is there, and leaves alone what is finished', async () => {
    const { log, df, lead } = await begin(openLog);
    const done = await df.run(lead, SAY);
    await done.done();
    await df.feedback(done.id, { judges: done.state.threads[0]!.lastMessage!.eventId, verdict: 'right', by: 'desk' });
    const before = await df.submit(lead, SAY);
    const worker = new TestWorker(log, [lead]);
    const after = await df.submit(lead, SAY);
    await finished(df, [before, after]);
    await worker.stop();
    expect(new Set(worker.told('rested'))).toEqual(new Set([before, after]));
    expect(count(await typesOf(df, done.id), 'session.claimed')).toBe(1);
    expect(worker.hasLeft).toBe(true);
  });

  test('takes up a session that others say something to, also one that waits for a person', async () => {
    const { log, df, lead } = await begin(openLog);
    const worker = new TestWorker(log, [lead]);
    const id = await df.submit(lead, ASK);
    await vi.waitFor(() => expect(worker.told('rested')).toHaveLength(1), { timeout: 20_000 });
    const { stopReason } = await df.session(id);
    const [call] = stopReason?.type === 'requires_action' ? stopReason.event_ids : [];
    await df.confirm(id, { toolUseId: call!, result: 'allow' });
    await finished(df, [id]);
    await df.send(id, '@script [{"say":"more"}]');
    await vi.waitFor(async () => expect((await df.session(id)).threads[0]!.lastMessage?.text).toBe('more'), { timeout: 20_000 });
    expect(orphans(await collect(df.events(id)))).toEqual([]);
    expect(brokenHistory(await df.session(id))).toEqual([]);
  });

  test('misses nothing that is said to a session in the moment that it comes to rest', async () => {
    const { log, df: other, lead } = await begin(openLog);
    let left = 30;
    const hooked = hookedLog(log, async (request, append) => {
      const appended = await append();
      const rests = request.events.some(({ type }) => type === 'session.status_idle');
      // Counted, and not acknowledged to the worker yet.
      if (rests && left > 0) {
        left -= 1;
        await other.send(request.stream.slice('session/'.length), '@script [{"say":"more"}]');
        await sleep(left % 3);
      }
      return appended;
    });
    const worker = new TestWorker(hooked, [lead]);
    const ids = await Promise.all(['a', 'b', 'c'].map(() => other.submit(lead, SAY)));
    await vi.waitFor(() => expect(left).toBe(0), { timeout: 20_000 });
    await vi.waitFor(
      async () => {
        for (const id of ids) expect(await other.session(id)).toMatchObject({ status: 'idle', queue: [] });
      },
      { timeout: 20_000 },
    );
    expect(worker.told('failed')).toEqual([]);
  });

  test('leaves alone what it cannot run, says so once, and runs the others', async () => {
    const { log, df, gate, lead: mine } = await begin(openLog);
    const theirs = teamOf(gate, 'stranger');
    const strangers = [await df.submit(theirs, SAY), await df.submit(theirs, SAY)];
    const newer = await df.submit(mine, SAY);
    await addNewerEvent(log, streamOf('session', newer));
    const worker = new TestWorker(log, [mine]);
    const ids = [await df.submit(mine, SAY), await df.submit(mine, SAY)];
    await finished(df, ids);
    await df.command(strangers[0]!, () => [{ type: 'user.message', class: 'open', actor: 'user', data: { content: [] } }]);
    await quiet();
    const left = worker.news.flatMap((one) => (one.type === 'left' ? [[one.error.code, one.session]] : []));
    expect(left.toSorted(([a], [b]) => a!.localeCompare(b!))).toEqual([
      ['unknown_agent', expect.stringMatching(strangers.join('|'))],
      ['unsupported_schema_version', newer],
    ]);
    expect(count(await typesOf(df, newer), 'session.claimed')).toBe(0);
    expect(worker.told('failed')).toEqual([]);
  });

  test('reads nothing more of what it left alone until something happens to it, and another runs it', async () => {
    const { log, df, gate, lead } = await begin(openLog);
    const stranger = teamOf(gate, 'stranger');
    const strangers = [await df.submit(stranger, SAY), await df.submit(stranger, SAY)];
    const newer = await df.submit(lead, SAY);
    await addNewerEvent(log, streamOf('session', newer));
    const worker = new TestWorker(log, [lead]);
    await vi.waitFor(() => expect(worker.told('left')).toHaveLength(2));
    await quiet();
    const read = vi.spyOn(log, 'read');
    worker.assign();
    worker.assign(0);
    await quiet();
    expect(read.mock.calls).toEqual([]);
    await df.send(strangers[0]!, SAY);
    await quiet();
    worker.assign(0);
    await quiet();
    // The sender, and the worker.
    const asked = streamOf('session', strangers[0]!);
    expect(read.mock.calls.map(([stream]) => stream)).toEqual([asked, asked]);
    const other = new TestWorker(log, [stranger]);
    await finished(df, strangers);
    expect(new Set(other.told('taken'))).toEqual(new Set(strangers));
    expect(worker.told('left')).toHaveLength(2);
  });

  test('takes what it left alone for want of a specialist when the lead needs none any more', async () => {
    const { log, df, gate, lead: alone } = await begin(openLog);
    const inner = new Gate();
    const whole = agent({ ...alone, team: [teamOf(inner, 'helper')] });
    const first = new TestWorker(log, [whole]);
    const id = await df.submit(whole, `@script [{"delegate":"helper","message":${JSON.stringify(HOLD)}},${HOLD.slice('@script ['.length)}`);
    await vi.waitFor(() => expect(inner.entered).toBe(1), { timeout: 20_000 });
    const next = new TestWorker(log, [alone]);
    await vi.waitFor(() => expect(next.told('left')).toEqual([id]));
    inner.letGo();
    await vi.waitFor(() => expect(gate.entered).toBe(1), { timeout: 20_000 });
    await quiet();
    await first.stop();
    next.assign(0);
    gate.letGo();
    await finished(df, [id]);
    expect(next.told('taken')).toEqual([id]);
  });

  test('goes on with the others when one fails by a fault of the program, or was taken over', async () => {
    const { log, df, gate, lead } = await begin(openLog);
    const faulty = await df.submit(lead, SAY);
    const hooked = hookedLog(log, async (request, append) => {
      if (request.stream === streamOf('session', faulty)) throw new TypeError('a fault');
      return append();
    });
    const held = await df.submit(lead, HOLD);
    const worker = new TestWorker(hooked, [lead]);
    await vi.waitFor(() => expect(gate.entered).toBe(1), { timeout: 20_000 });
    const owner = await df.resume(lead, held);
    const id = await df.submit(lead, SAY);
    await finished(df, [id]);
    gate.letGo();
    expect((await owner.done()).text).toBe('done');
    expect(new Set(gate.keys).size).toBe(1);
    await vi.waitFor(() => expect(worker.told('lost')).toEqual([held]));
    expect(worker.told('failed')).toEqual([faulty]);
  });

  test('gives up when session after session fails by a fault of the program', async () => {
    const { log, df, lead } = await begin(openLog);
    const isFaulty = new Set(await Promise.all(Array.from({ length: 12 }, () => df.submit(lead, SAY))));
    const hooked = hookedLog(log, async (request, append) => {
      if (isFaulty.has(request.stream.slice('session/'.length))) throw new TypeError('a fault');
      return append();
    });
    const worker = new TestWorker(hooked, [lead], { concurrency: 1 });
    await expect(worker.ended).rejects.toThrow(TypeError);
    expect(worker.told('failed')).toHaveLength(10);
    expect(worker.hasLeft).toBe(true);
  });

  test('ends with the error of the log, and lets go of what is under way', async () => {
    const { log, df, gate, lead } = await begin(openLog);
    let isFull = false;
    const hooked = hookedLog(log, async (_, append) => {
      if (isFull) throw new DreamfoldError('store_full', 'full', { remedy: 'Make room.' });
      return append();
    });
    const worker = new TestWorker(hooked, [lead]);
    const held = await df.submit(lead, HOLD);
    await vi.waitFor(() => expect(gate.entered).toBe(1), { timeout: 20_000 });
    isFull = true;
    await df.submit(lead, SAY);
    await expect(worker.ended).rejects.toMatchObject({ code: 'store_full' });
    expect(worker.hasLeft).toBe(true);
    isFull = false;
    const next = new TestWorker(log, [lead]);
    gate.letGo();
    await finished(df, [held]);
    expect(next.told('failed')).toEqual([]);
    expect(new Set(gate.keys).size).toBe(1);
  });

  test('has so many sessions under way at most; one that waits for a person is none of them', async () => {
    const { log, df, gate, lead } = await begin(openLog);
    const waiting = await Promise.all([1, 2, 3, 4].map(() => df.submit(lead, ASK)));
    const worker = new TestWorker(log, [lead], { concurrency: 3 });
    await vi.waitFor(() => expect(new Set(worker.told('rested'))).toEqual(new Set(waiting)), { timeout: 20_000 });
    const ids = await Promise.all(Array.from({ length: 10 }, () => df.submit(lead, HOLD)));
    await vi.waitFor(() => expect(gate.entered).toBe(3), { timeout: 20_000 });
    await quiet();
    expect(gate.most).toBe(3);
    gate.letGo();
    await finished(df, ids);
    expect(gate.keys).toHaveLength(10);
  });

  test('lets go of a partition without a word on the log, keeps what it keeps, and takes up what it is given', async () => {
    const { log, df, gate, lead } = await begin(openLog);
    const worker = new TestWorker(log, [lead]);
    const id = await df.submit(lead, HOLD);
    await vi.waitFor(() => expect(gate.entered).toBe(1), { timeout: 20_000 });
    const before = await typesOf(df, id);
    worker.assign(0, 1);
    await quiet();
    expect(await typesOf(df, id)).toEqual(before);
    expect(worker.told('lost')).toEqual([]);
    worker.assign(1);
    gate.letGo();
    await vi.waitFor(() => expect(worker.told('handed_over')).toEqual([id]));
    const later = await df.submit(lead, SAY);
    await quiet();
    expect(await typesOf(df, id)).toEqual(before);
    expect(await typesOf(df, later)).toHaveLength(2);
    worker.assign(0);
    await finished(df, [id, later]);
    expect(new Set(gate.keys).size).toBe(1);
  });

  test('goes on with a session whose partition went and came back at once', async () => {
    const { log, df, gate, lead } = await begin(openLog);
    const worker = new TestWorker(log, [lead]);
    const id = await df.submit(lead, HOLD);
    await vi.waitFor(() => expect(gate.entered).toBe(1), { timeout: 20_000 });
    worker.assign();
    worker.assign(0);
    gate.letGo();
    await finished(df, [id]);
    expect(count(await typesOf(df, id), 'session.claimed')).toBe(2);
  });

  test('answers what is said while its claim is on the way, and another process was faster', async () => {
    const { log, df, lead } = await begin(openLog);
    let isSlow = false;
    const hooked = hookedLog(log, async (request, append) => {
      if (isSlow && request.events[0]?.type === 'session.claimed') {
        isSlow = false;
        await sleep(300);
      }
      return append();
    });
    const id = await df.submit(lead, SAY);
    const worker = new TestWorker(hooked, [lead]);
    await vi.waitFor(() => expect(worker.told('rested')).toHaveLength(1), { timeout: 20_000 });
    isSlow = true;
    await df.send(id, '@script [{"say":"second"}]');
    await (await df.resume(lead, id)).done();
    await df.send(id, '@script [{"say":"third"}]');
    await vi.waitFor(async () => expect((await df.session(id)).threads[0]!.lastMessage?.text).toBe('third'), { timeout: 20_000 });
  });

  test('twice in one process runs each session once', async () => {
    const { df, gate, lead } = await begin(openLog);
    const working = [1, 2].map(() => df.work({ teams: [{ lead }] }));
    const id = await df.submit(lead, HOLD);
    await vi.waitFor(() => expect(gate.entered).toBe(1), { timeout: 20_000 });
    await quiet();
    expect(gate.keys).toHaveLength(1);
    expect(count(await typesOf(df, id), 'session.claimed')).toBe(1);
    await df.interrupt(id);
    gate.letGo();
    await vi.waitFor(async () => expect((await df.session(id)).status).toBe('idle'), { timeout: 20_000 });
    await df.close();
    await Promise.all(working);
  });

  test('does not take a session from the program that runs it, while it is there', async () => {
    const { log, df, gate, lead } = await begin(openLog);
    const worker = new TestWorker(log, [lead]);
    await quiet();
    const session = await df.run(lead, HOLD);
    await vi.waitFor(() => expect(gate.entered).toBe(1));
    await session.send('And more?');
    await quiet();
    gate.letGo();
    await session.done();
    expect(worker.told('taken')).toEqual([]);
  });

  test('is ended without a word on the log, and the next one goes on', async () => {
    const { log, df, gate, lead } = await begin(openLog);
    const id = await df.submit(lead, HOLD);
    const first = new TestWorker(log, [lead]);
    await vi.waitFor(() => expect(gate.entered).toBe(1), { timeout: 20_000 });
    const before = await typesOf(df, id);
    await first.stop();
    expect(await typesOf(df, id)).toEqual(before);
    gate.letGo();
    await quiet();
    expect(await typesOf(df, id)).toEqual(before);
    const next = new TestWorker(log, [lead]);
    await finished(df, [id]);
    expect(next.told('taken')).toEqual([id]);
    expect(new Set(gate.keys).size).toBe(1);
  });

  test.each([
    [{ teams: [] }, 'invalid_argument', 'teams'],
    [{ concurrency: 0 }, 'invalid_argument', 'concurrency'],
    [{ concurrency: 1.5 }, 'invalid_argument', 'concurrency'],
    [{ teams: [1, 2].map(() => ({ lead: agent({ name: 'twin', system: '' }) })) }, 'invalid_argument', 'teams'],
    [{ teams: [{ lead: agent({ name: 'lead', system: '', model: 'nobody' }) }] }, 'unknown_model', 'team/lead/model'],
  ])('is refused what makes no sense: %#', async (options, code, path) => {
    const df = await open({ log: await openLog() });
    const teams = [{ lead: agent({ name: 'lead', system: '' }) }];
    await expect(df.work({ teams, ...options })).rejects.toMatchObject({ code, path });
  });
});
