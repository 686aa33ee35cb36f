import { newEvent, type NewEvent, type StoredEvent } from '@dreamfold/events';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../rule/append.ts';
import { genesisStream, LOG_STREAM } from '../rule/genesis.ts';
import type { Log } from '../port.ts';
import { codeOf, message, readAll, readAllStored, type LogUnderTest } from './log-under-test.ts';

const S = 'session/sesn_1';
const WHY = { reason: 'asked for' };

/** Five messages in three appends. */
async function example(log: Log): Promise<StoredEvent[]> {
  await log.append({ stream: S, id: 'a', expected: 0, events: [message('one')] });
  await log.append({ stream: S, id: 'b', expected: 1, events: [message('two'), message('three'), message('four')] });
  await log.append({ stream: S, id: 'c', expected: 4, events: [message('five')] });
  return readAllStored(log, S);
}

/** A tool's result that names a blob. */
function naming(sha256: string, size: number): NewEvent {
  const source = { type: 'blob' as const, df_of: 'base64' as const, media_type: 'image/png' as const, sha256, size_bytes: size };
  return newEvent('user.message', 'user', { content: [{ type: 'image', source }] });
}

/** That something is missing is a fact of the log, or a fault of it. */
export function describeAbsence(under: LogUnderTest): void {
  describe('erase', () => {
    it('takes payloads out by seq and by id, leaves envelopes and chain, and says so on the log', async () => {
      const log = await under.fresh();
      const before = await example(log);
      const erased = await log.erasure.erase(S, { seqs: [1, 99], ids: ['b-1', 'c', 'd', 'b-3'], reason: 'a leaked key', by: 'ann' });
      expect(erased.events).toEqual([
        { seq: 1, id: 'a' },
        { seq: 3, id: 'b-1' },
        { seq: 5, id: 'c' },
      ]);
      const stored = await readAllStored(log, S);
      expect(stored.slice(0, 5)).toEqual(before.map((event) => ([1, 3, 5].includes(event.seq) ? { ...event, data: null } : event)));
      const events = await readAll(log, S);
      expect(events.map(({ data }) => data === null)).toEqual([true, false, true, false, true, false]);
      expect(events.at(-1)).toMatchObject({ type: 'log.erased', actor: 'person:ann' });
      expect(events.at(-1)!.data).toEqual({ events: ['a', 'b-1', 'c'], reason: 'a leaked key', by: 'ann' });
      expect(await log.archive.verify()).toMatchObject({ erased: 3, problems: [] });
      expect(await log.append({ stream: S, id: 'after', expected: 6, events: [message('x')] })).toMatchObject({ head: { seq: 7 } });
      expect((await log.archive.verify()).problems).toEqual([]);
    });

    it('adds nothing to the log where there is nothing to erase', async () => {
      const log = await under.fresh();
      await example(log);
      await log.erasure.erase(S, { seqs: [2], ...WHY });
      expect(await log.erasure.erase(S, { seqs: [2, 77], ids: ['none'], ...WHY })).toEqual({ events: [] });
      expect(await log.erasure.erase('session/none', { seqs: [1], ...WHY })).toEqual({ events: [] });
      expect((await log.head(S)).seq).toBe(6);
    });

    it('is what the event does, whoever appends it, to what stands before it', async () => {
      const log = await under.fresh();
      await example(log);
      const events = [newEvent('log.erased', 'system', { events: ['b', 'later', 'none-1'], ...WHY })];
      await log.append({ stream: S, id: 'fact', expected: 'any', events });
      await log.append({ stream: S, id: 'later', expected: 'any', events: [message('six')] });
      expect((await readAll(log, S)).map(({ data }) => data === null)).toEqual([false, true, false, false, false, false, false]);
      expect(await log.archive.verify()).toMatchObject({ erased: 1, problems: [] });
    });

    it('erases no erasure, and nothing of the log itself', async () => {
      const log = await under.fresh();
      await example(log);
      await log.erasure.erase(S, { seqs: [2], ...WHY });
      expect(await log.erasure.erase(S, { seqs: [6], ...WHY })).toEqual({ events: [] });
      const [fact] = (await readAll(log, S)).slice(-1);
      const again = [newEvent('log.erased', 'system', { events: [fact!.id], ...WHY })];
      await log.append({ stream: S, id: 'again', expected: 'any', events: again });
      expect((await readAll(log, S))[5]!.data).toEqual({ events: ['b'], ...WHY });
      for (let partition = 0; partition < log.capabilities.partitions; partition += 1) {
        expect(await codeOf(log.erasure.erase(genesisStream(partition), { seqs: [1], ...WHY }))).toBe('invalid_argument');
      }
      const ofGenesis = [newEvent('log.erased', 'system', { events: [log.logId], ...WHY })];
      await log.append({ stream: LOG_STREAM, id: 'forged', expected: 'any', events: ofGenesis });
      expect((await readAll(log, LOG_STREAM))[0]!.data).toMatchObject({ log_id: log.logId });
      expect(await log.archive.verify()).toMatchObject({ erased: 1, problems: [] });
    });

    it('reaches all of a long stream', async () => {
      const log = await under.fresh();
      const events = Array.from({ length: 1200 }, (_, i) => message(`message ${i}`));
      await log.append({ stream: S, id: 'many', expected: 0, events });
      const seqs = Array.from({ length: 1200 }, (_, i) => i + 1);
      expect((await log.erasure.erase(S, { seqs, ...WHY })).events).toHaveLength(1200);
      expect(await log.head(S)).toMatchObject({ seq: 1203 });
      expect(await log.archive.verify()).toMatchObject({ erased: 1200, problems: [] });
    });

    it('is told to whoever asks with the mark of an earlier answer, also on another handle', async () => {
      const log = await under.fresh();
      await example(log);
      const reader = log.capabilities.survives.process ? await under.again() : log;
      const { mark, streams } = await reader.erasure.since(null);
      expect(streams).toEqual([]);
      await log.erasure.erase(S, { seqs: [2], ...WHY });
      await expect.poll(async () => (await reader.erasure.since(mark)).streams, { timeout: 10_000 }).toEqual([S]);
      expect((await readAll(reader, S))[1]!.data).toBeNull();
      expect((await log.erasure.since(null)).streams).toEqual([S]);
      const last = await log.erasure.since(null);
      expect(await log.erasure.since(last.mark)).toEqual({ mark: last.mark, streams: [] });
      expect((await log.erasure.since('a mark of another log')).streams).toBeNull();
    });

    it('goes with the stream to another log', async () => {
      const log = await under.fresh();
      const before = await example(log);
      await log.erasure.erase(S, { seqs: [3], ...WHY });
      const stored = await readAllStored(log, S);
      const target = await under.fresh();
      await target.archive.restore(stored);
      expect(await readAllStored(target, S)).toEqual(stored);
      expect(await target.archive.verify()).toMatchObject({ erased: 1, problems: [] });
      // A copy from before the erasure, and then what follows it.
      const late = await under.fresh();
      await late.archive.restore(before);
      await late.archive.restore(stored);
      expect(await readAllStored(late, S)).toEqual(stored);
    });
  });

  describe('a payload that is missing', () => {
    it('is a problem, unless something on the log says why', async () => {
      const stored = await example(await under.fresh());
      const log = await under.fresh();
      await log.archive.restore(stored.map((event) => (event.seq === 2 || event.seq === 4 ? { ...event, data: null } : event)));
      const problem = 'its payload is missing, and nothing on the log says why';
      expect(await log.archive.verify()).toMatchObject({
        erased: 0,
        problems: [
          { stream: S, seq: 2, problem },
          { stream: S, seq: 4, problem },
        ],
      });
      const missing = [{ stream: S, seq: 2, reason: 'it was bad' }];
      const skipped = newEvent('log.import_skipped', 'system', { source: 'log.jsonl', missing, ended: [] });
      await log.append({ stream: LOG_STREAM, id: 'skipped', expected: 'any', events: [skipped] });
      const erasure = newEvent('log.erased', 'system', { events: ['b-2'], ...WHY });
      await log.append({ stream: S, id: 'late', expected: 'any', events: [erasure] });
      expect(await log.archive.verify()).toMatchObject({ erased: 2, missing, problems: [] });
    });
  });

  describe('a blob', () => {
    it('that an event names and nobody has is a problem', async () => {
      const log = await under.fresh();
      const bytes = new Uint8Array(2000).fill(7);
      const sha256 = sha256Hex(bytes);
      await log.append({ stream: S, id: 'a', expected: 0, events: [naming(sha256, 2000)] });
      expect((await log.archive.verify()).problems).toEqual([{ stream: S, seq: 1, problem: `it names a blob that is missing: ${sha256}` }]);
      await log.blobs.put(bytes);
      expect((await log.archive.verify()).problems).toEqual([]);
    });

    it('goes with the last event that names it', async (context) => {
      const log = await under.fresh();
      context.skip(log.capabilities.name === 'kafka', 'kafka: what stands in the topic of blobs cannot be taken out');
      const bytes = new Uint8Array(2000).fill(7);
      const { sha256 } = await log.blobs.put(bytes);
      await log.append({ stream: S, id: 'a', expected: 0, events: [naming(sha256, 2000)] });
      await log.append({ stream: 'session/sesn_2', id: 'b', expected: 0, events: [naming(sha256, 2000)] });
      await log.erasure.erase(S, { seqs: [1], ...WHY });
      expect(await log.blobs.get(sha256)).toEqual(bytes);
      await log.erasure.erase('session/sesn_2', { seqs: [1], ...WHY });
      expect(await log.blobs.get(sha256)).toBeNull();
      expect(await log.archive.verify()).toMatchObject({ erased: 2, blobs: 0, problems: [] });
    });
  });
}
