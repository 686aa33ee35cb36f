import type { LogEvent } from '@dreamfold/events';
import { describe, expect, it } from 'vitest';
import { advanced, cursorAtStart, placeOf, seenBy, type Cursor } from '../cursor.ts';
import { genesisStream } from '../rule/genesis.ts';
import { fold } from '../replay.ts';
import type { Log } from '../port.ts';
import {
  before,
  claim,
  codeOf,
  collect,
  fill,
  message,
  ordinalsBetween,
  ordinalsOf,
  readAll,
  readAllStored,
  type LogUnderTest,
} from './log-under-test.ts';
import { describeWatching } from './watch-cases.ts';

const S = 'session/sesn_1';

export function describeReading(under: LogUnderTest): void {
  describe('read', () => {
    it('gives any range, in batches', async () => {
      const log = await under.fresh();
      await fill(log, S, 600);
      const seqs = async (from?: number, to?: number): Promise<number[]> => {
        const options = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
        return (await collect(log.read(S, options))).map((event) => event.seq);
      };
      const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
      expect(await seqs()).toEqual(range(1, 600));
      expect(await seqs(599)).toEqual([599, 600]);
      expect(await seqs(1, 1)).toEqual([1]);
      expect(await seqs(255, 258)).toEqual(range(255, 258));
      expect(await seqs(601)).toEqual([]);
      expect(await seqs(5, 4)).toEqual([]);
      for await (const batch of log.read(S)) expect(batch.length).toBeLessThanOrEqual(500);
    });

    it('gives nothing for a stream that is not there', async () => {
      const log = await under.fresh();
      expect(await readAll(log, 'session/none')).toEqual([]);
      expect(await readAllStored(log, 'session/none')).toEqual([]);
    });

    it.each([{ from: 0 }, { from: 1.5 }, { to: -1 }, { from: Number.NaN }])('refuses the range %j', async (options) => {
      const log = await under.fresh();
      expect(await codeOf(collect(log.read(S, options)))).toBe('invalid_argument');
    });

    it('gives ids and hashes from the middle of an append', async () => {
      const log = await under.fresh();
      await log.append({ stream: S, id: 'a', expected: 0, events: [message('1'), message('2'), message('3')] });
      const all = await readAllStored(log, S);
      expect(all.map((event) => event.id)).toEqual(['a', 'a-1', 'a-2']);
      expect(await collect(log.archive.readStored(S, { from: 2, to: 2 }))).toEqual([all[1]]);
      expect((await collect(log.read(S, { from: 3 }))).map((event) => event.id)).toEqual(['a-2']);
    });

    it('never cuts an append between two batches of stored events', async () => {
      const log = await under.fresh();
      for (let i = 0; i < 80; i += 1) {
        await log.append({ stream: S, id: `a${i}`, expected: i * 7, events: Array.from({ length: 7 }, () => message('x')) });
      }
      for await (const batch of log.archive.readStored(S)) expect(batch.at(-1)!.append.i).toBe(6);
    });
  });

  describe('fold', () => {
    it('folds to the head or to a seq', async () => {
      const log = await under.fresh();
      await fill(log, S, 300);
      const count = (to?: number): Promise<number> =>
        fold(log, S, { initial: 0, evolve: (n) => n + 1, ...(to === undefined ? {} : { to }) });
      expect(await count()).toBe(300);
      expect(await count(7)).toBe(7);
    });
  });

  describe('streams', () => {
    it('come partition by partition, in the order of their first event, with their heads', async () => {
      const log = await under.fresh();
      for (const stream of ['session/b', 'memory/m', 'session/a'])
        await log.append({ stream, id: 'a', expected: 0, epoch: 1, events: [claim()] });
      await log.append({ stream: 'session/b', id: 'b', expected: 1, events: [message('')] });
      const { partitions } = log.capabilities;
      const names = async (kind?: string): Promise<string[]> => (await collect(log.streams(kind))).map(({ stream }) => stream);
      const genesis = Array.from({ length: partitions }, (_, partition) => genesisStream(partition));
      expect(await names()).toEqual(await inOrder(log, [...genesis, 'session/b', 'memory/m', 'session/a']));
      expect(await names('session')).toEqual(await inOrder(log, ['session/b', 'session/a']));
      if (partitions === 1) expect(await names()).toEqual(['log/main', 'session/b', 'memory/m', 'session/a']);
      for (const { stream, head } of await collect(log.streams())) expect(head).toEqual(await log.head(stream));
      expect((await log.head('session/b')).epoch).toBe(1);
      expect(await collect(log.streams('dream'))).toEqual([]);
      expect(await collect(log.streams('sess'))).toEqual([]);
    });

    it('are found by how they begin, in the order of their names', async () => {
      const log = await under.fresh();
      const names = ['session/sesn_b2', 'session/sesn_a', 'session/sesn_b1', 'memory/sesn_b', 'session/sesn_b_', 'session/sesn_c'];
      for (const stream of names) await log.append({ stream, id: 'a', expected: 0, events: [message('')] });
      expect(await log.findStreams('session/sesn_b', 10)).toEqual(['session/sesn_b1', 'session/sesn_b2', 'session/sesn_b_']);
      expect(await log.findStreams('session/sesn_b', 2)).toEqual(['session/sesn_b1', 'session/sesn_b2']);
      expect(await log.findStreams('session/sesn_a', 10)).toEqual(['session/sesn_a']);
      expect(await log.findStreams('session/', 10)).toHaveLength(5);
      expect(await log.findStreams('session/sesn_aa', 10)).toEqual([]);
      expect(await log.findStreams("session/sesn_b' OR 1", 10)).toEqual([]);
    });
  });

  describeSubscription(under);
  describeRange(under);
  describeWaiting(under);
  describeWatching(under);
}

/** Streams as a log lists them: by partition, and in each by their first event. */
async function inOrder(log: Log, streams: readonly string[]): Promise<string[]> {
  const placed = await Promise.all(
    streams.map(async (stream) => ({ stream, ...placeOf((await readAll(log, stream))[0]!.position, log.capabilities.partitions) })),
  );
  return placed.toSorted((a, b) => a.partition - b.partition || a.ordinal - b.ordinal).map(({ stream }) => stream);
}

/** Cursors that no log of so many partitions has given. */
function badCursors(partitions: number): Cursor[] {
  const good = cursorAtStart(partitions);
  const withFirst = (count: unknown): Cursor => [count as number, ...good.slice(1)];
  return [withFirst(-1), withFirst(0.5), withFirst(Number.NaN), withFirst('1'), [...good, 0], good.slice(1), 0 as unknown as Cursor];
}

function describeSubscription(under: LogUnderTest): void {
  /** Takes events until there are `count`, and ends the subscription. */
  const take = async (log: Log, count: number, options: { after: Cursor; stream?: string }): Promise<LogEvent[]> => {
    const stop = new AbortController();
    const events: LogEvent[] = [];
    for await (const batch of log.subscribe({ ...options, signal: stop.signal })) {
      events.push(...batch);
      if (events.length >= count) stop.abort();
    }
    return events;
  };
  const start = (log: Log): Cursor => cursorAtStart(log.capabilities.partitions);

  describe('subscribe', () => {
    it('catches up, then goes on live, each partition in its order, without gap or repeat', async () => {
      const log = await under.fresh();
      await fill(log, S, 300);
      const count = seenBy(await log.cursor()) + 600;
      const taken = take(log, count, { after: start(log) });
      for (let i = 0; i < 300; i += 1) {
        const stream = `session/live_${i % 7}`;
        await log.append({ stream, id: `live${i}`, expected: 'any', events: [message('x'), message('y')] });
        if (i % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      }
      const events = await taken;
      expect(events).toHaveLength(count);
      expect(ordinalsOf(log, events)).toEqual(ordinalsBetween(start(log), await log.cursor()));
    });

    it('begins after a cursor', async () => {
      const log = await under.fresh();
      await fill(log, S, 5);
      expect((await take(log, 2, { after: await before(log, 2, S) })).map(({ seq }) => seq)).toEqual([4, 5]);
    });

    it('gives one stream only', async () => {
      const log = await under.fresh();
      const taken = take(log, 5, { after: start(log), stream: S });
      for (let i = 0; i < 5; i += 1) {
        await log.append({ stream: S, id: `s${i}`, expected: i, events: [message('')] });
        await log.append({ stream: 'session/other', id: `o${i}`, expected: i, events: [message('')] });
      }
      const events = await taken;
      expect(events.map(({ stream, seq }) => [stream, seq])).toEqual([1, 2, 3, 4, 5].map((seq) => [S, seq]));
      const after = advanced(start(log), events[2]!.position);
      expect((await take(log, 2, { after, stream: S })).map(({ seq }) => seq)).toEqual([4, 5]);
    });

    it('gives the same events as read', async () => {
      const log = await under.fresh();
      await log.append({
        stream: S,
        id: 'a',
        expected: 0,
        correlation: 'r',
        events: [message('1'), message('2', { causation: 'session/x#3' })],
      });
      expect(await take(log, 2, { after: start(log), stream: S })).toEqual(await readAll(log, S));
      expect(await take(log, 1, { after: await before(log, 1, S) })).toEqual((await readAll(log, S)).slice(1));
    });

    it('ends with its signal while it waits, and at once with one that was aborted before', async () => {
      const log = await under.fresh();
      const stop = new AbortController();
      const waiting = collect(log.subscribe({ after: await log.cursor(), signal: stop.signal }));
      setTimeout(() => stop.abort(), 5);
      expect(await waiting).toEqual([]);
      expect(await collect(log.subscribe({ after: start(log), signal: AbortSignal.abort() }))).toEqual([]);
    });

    it('ends when the log is closed', async () => {
      const log = await under.fresh();
      const waiting = collect(log.subscribe({ after: await log.cursor(), signal: new AbortController().signal }));
      await new Promise((resolve) => setTimeout(resolve, 5));
      await log.close();
      expect(await waiting).toEqual([]);
    });

    it('refuses what is no cursor', async () => {
      const log = await under.fresh();
      for (const after of badCursors(log.capabilities.partitions)) {
        expect(await codeOf((async () => collect(log.subscribe({ after, signal: AbortSignal.abort() })))())).toBe('invalid_cursor');
      }
    });

    it('sees what another handle appends', async (context) => {
      const log = await under.fresh();
      context.skip(!log.capabilities.shared, `${log.capabilities.name}: only one handle can write`);
      const other = await under.again();
      const taken = take(log, 3, { after: await log.cursor() });
      await fill(other, S, 3);
      expect((await taken).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    });
  });
}

function describeRange(under: LogUnderTest): void {
  const write = async (log: Log, round: number): Promise<Cursor> => {
    for (let i = 0; i < 10; i += 1) {
      await log.append({
        stream: `session/s${i}`,
        id: `r${round}`,
        expected: 'any',
        events: Array.from({ length: 40 }, () => message('x')),
      });
    }
    return log.cursor();
  };

  describe('readRange', () => {
    it('gives what lies between two cursors, partition by partition, each in its order', async () => {
      const log = await under.fresh();
      const [after, through, end] = [await write(log, 1), await write(log, 2), await write(log, 3)];
      const events = await collect(log.readRange(after, through));
      expect(events).toHaveLength(400);
      expect(ordinalsOf(log, events)).toEqual(ordinalsBetween(after, through));
      const partitions = events.map(({ position }) => placeOf(position, log.capabilities.partitions).partition);
      expect(partitions).toEqual(partitions.toSorted((a, b) => a - b));
      const [first] = events;
      expect(first).toEqual((await readAll(log, first!.stream))[first!.seq - 1]);
      for await (const batch of log.readRange(after, end)) expect(batch.length).toBeLessThanOrEqual(500);
      expect(ordinalsOf(log, await collect(log.readRange(cursorAtStart(end.length), end)))).toEqual(
        ordinalsBetween(cursorAtStart(end.length), end),
      );
    });

    it('gives nothing where nothing lies', async () => {
      const log = await under.fresh();
      const [earlier, later] = [await log.cursor(), await write(log, 1)];
      expect(await collect(log.readRange(later, later))).toEqual([]);
      expect(await collect(log.readRange(later, earlier))).toEqual([]);
    });

    it('refuses what is no cursor', async () => {
      const log = await under.fresh();
      const good = await log.cursor();
      for (const bad of badCursors(log.capabilities.partitions)) {
        expect(await codeOf(collect(log.readRange(bad, good)))).toBe('invalid_cursor');
        expect(await codeOf(collect(log.readRange(good, bad)))).toBe('invalid_cursor');
      }
    });
  });
}

function describeWaiting(under: LogUnderTest): void {
  describe('waitFor', () => {
    it('resolves when the event is there', async () => {
      const log = await under.fresh();
      const { position } = await log.append({ stream: S, id: 'a', expected: 0, events: [message('x')] });
      await log.waitFor(position);
      await log.waitFor(1);
      let there = false;
      const waiting = log.waitFor(position + log.capabilities.partitions).then(() => (there = true));
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(there).toBe(false);
      await log.append({ stream: S, id: 'b', expected: 1, events: [message('x')] });
      expect(await waiting).toBe(true);
    });

    it('resolves for what another handle has appended', async (context) => {
      const log = await under.fresh();
      context.skip(!log.capabilities.shared, `${log.capabilities.name}: only one handle can write`);
      const other = await under.again();
      for (let i = 0; i < 5; i += 1) {
        const { position, head } = await other.append({ stream: S, id: `a${i}`, expected: i, events: [message('x')] });
        await log.waitFor(position);
        expect(await log.head(S)).toEqual(head);
      }
    });

    it('ends with its signal, and with the log', async () => {
      const log = await under.fresh();
      const far = 1000 * log.capabilities.partitions;
      const stop = new AbortController();
      const stopped = log.waitFor(far, { signal: stop.signal });
      setTimeout(() => stop.abort(new RangeError('enough')), 5);
      await expect(stopped).rejects.toThrow('enough');
      await expect(log.waitFor(far, { signal: AbortSignal.abort(new RangeError('before')) })).rejects.toThrow('before');
      const waiting = codeOf(log.waitFor(far));
      await log.close();
      expect(await waiting).toBe('store_unavailable');
    });

    it.each([0, -1, 0.5, Number.NaN])('refuses the position %d', async (position) => {
      const log = await under.fresh();
      expect(await codeOf(log.waitFor(position))).toBe('invalid_cursor');
    });
  });
}
