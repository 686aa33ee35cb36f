import type { LogEvent } from '@dreamfold/events';
import { describe, expect, it } from 'vitest';
import { fold } from '../replay.ts';
import type { Log } from '../port.ts';
import { claim, codeOf, collect, fill, message, readAll, readAllStored, type LogUnderTest } from './log-under-test.ts';

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
      expect(await collect(log.readStored(S, { from: 2, to: 2 }))).toEqual([all[1]]);
      expect((await collect(log.read(S, { from: 3 }))).map((event) => event.id)).toEqual(['a-2']);
    });

    it('never cuts an append between two batches of stored events', async () => {
      const log = await under.fresh();
      for (let i = 0; i < 80; i += 1) {
        await log.append({ stream: S, id: `a${i}`, expected: i * 7, events: Array.from({ length: 7 }, () => message('x')) });
      }
      for await (const batch of log.readStored(S)) expect(batch.at(-1)!.append.i).toBe(6);
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
    it('come in the order of their first event, with their heads', async () => {
      const log = await under.fresh();
      for (const stream of ['session/b', 'memory/m', 'session/a'])
        await log.append({ stream, id: 'a', expected: 0, epoch: 1, events: [claim()] });
      await log.append({ stream: 'session/b', id: 'b', expected: 1, events: [message('')] });
      expect((await collect(log.streams())).map(({ stream }) => stream)).toEqual(['log/main', 'session/b', 'memory/m', 'session/a']);
      expect(await collect(log.streams('session'))).toEqual([
        { stream: 'session/b', head: await log.head('session/b') },
        { stream: 'session/a', head: await log.head('session/a') },
      ]);
      expect((await log.head('session/b')).epoch).toBe(1);
      expect(await collect(log.streams('dream'))).toEqual([]);
      expect(await collect(log.streams('sess'))).toEqual([]);
    });
  });

  describeSubscription(under);
}

function describeSubscription(under: LogUnderTest): void {
  /** Takes events until there are `count`, and ends the subscription. */
  const take = async (log: Log, count: number, options: { after: number; stream?: string }): Promise<LogEvent[]> => {
    const stop = new AbortController();
    const events: LogEvent[] = [];
    for await (const batch of log.subscribe({ ...options, signal: stop.signal })) {
      events.push(...batch);
      if (events.length >= count) stop.abort();
    }
    return events;
  };

  describe('subscribe', () => {
    it('catches up, then goes on live, without gap or repeat', async () => {
      const log = await under.fresh();
      await fill(log, S, 300);
      const taken = take(log, 901, { after: 0 });
      for (let i = 0; i < 300; i += 1) {
        await log.append({ stream: S, id: `live${i}`, expected: 'any', events: [message('x'), message('y')] });
        if (i % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      }
      expect((await taken).map((event) => event.position)).toEqual(Array.from({ length: 901 }, (_, i) => i + 1));
    });

    it('begins after a position', async () => {
      const log = await under.fresh();
      await fill(log, S, 5);
      expect((await take(log, 2, { after: 4 })).map((event) => event.position)).toEqual([5, 6]);
    });

    it('gives one stream only', async () => {
      const log = await under.fresh();
      const taken = take(log, 5, { after: 0, stream: S });
      for (let i = 0; i < 5; i += 1) {
        await log.append({ stream: S, id: `s${i}`, expected: i, events: [message('')] });
        await log.append({ stream: 'session/other', id: `o${i}`, expected: i, events: [message('')] });
      }
      const events = await taken;
      expect(events.map(({ stream, seq }) => [stream, seq])).toEqual([1, 2, 3, 4, 5].map((seq) => [S, seq]));
      expect((await take(log, 2, { after: events[2]!.position, stream: S })).map(({ seq }) => seq)).toEqual([4, 5]);
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
      expect(await take(log, 2, { after: 0, stream: S })).toEqual(await readAll(log, S));
      expect(await take(log, 1, { after: 2 })).toEqual((await readAll(log, S)).slice(1));
    });

    it('ends with its signal while it waits, and at once with one that was aborted before', async () => {
      const log = await under.fresh();
      const stop = new AbortController();
      const waiting = collect(log.subscribe({ after: 1, signal: stop.signal }));
      setTimeout(() => stop.abort(), 5);
      expect(await waiting).toEqual([]);
      expect(await collect(log.subscribe({ after: 0, signal: AbortSignal.abort() }))).toEqual([]);
    });

    it('ends when the log is closed', async () => {
      const log = await under.fresh();
      const waiting = collect(log.subscribe({ after: 1, signal: new AbortController().signal }));
      await new Promise((resolve) => setTimeout(resolve, 5));
      await log.close();
      expect(await waiting).toEqual([]);
    });

    it.each([-1, 0.5, Number.NaN])('refuses the position %d', async (after) => {
      const log = await under.fresh();
      expect(await codeOf((async () => collect(log.subscribe({ after, signal: AbortSignal.abort() })))())).toBe('invalid_cursor');
    });

    it('sees what another handle appends', async (context) => {
      const log = await under.fresh();
      context.skip(!log.capabilities.shared, `${log.capabilities.name}: only one handle can write`);
      const other = await under.again();
      const taken = take(log, 3, { after: 1 });
      await fill(other, S, 3);
      expect((await taken).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    });
  });
}
