import { hashInput, MAX_EVENT_BYTES, type StoredEvent } from '@dreamfold/events';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../rule/append.ts';
import type { Log } from '../port.ts';
import { claim, codeOf, fill, message, readAll, readAllStored, type LogUnderTest } from './log-under-test.ts';

const S = 'session/sesn_1';

async function example(log: Log): Promise<StoredEvent[]> {
  await log.append({ stream: S, id: 'c', expected: 0, epoch: 1, events: [claim()] });
  await log.append({
    stream: S,
    id: 'm',
    expected: 1,
    correlation: 'r',
    events: [message('one'), message('two', { causation: 2 }), message('three')],
  });
  await log.append({ stream: S, id: 'n', expected: 4, events: [message('four', { causation: 'session/other#4' })] });
  return readAllStored(log, S);
}

export function describeKeeping(under: LogUnderTest): void {
  describe('restore', () => {
    it('adds a stream byte for byte, then what follows, and passes over what is there', async () => {
      const log = await under.fresh();
      const stored = await example(log);
      const target = await under.fresh();
      expect(await target.archive.restore(stored.slice(0, 4))).toEqual({ added: 4 });
      expect(await target.archive.restore(stored)).toEqual({ added: 1 });
      expect(await target.archive.restore(stored)).toEqual({ added: 0 });
      expect(await readAllStored(target, S)).toEqual(stored);
      expect(await target.head(S)).toEqual(await log.head(S));
      expect((await target.archive.verify()).problems).toEqual([]);
      expect(
        await target.append({ stream: S, id: 'm', expected: 5, events: [message('one'), message('two'), message('three')] }),
      ).toMatchObject({ duplicate: true });
    });

    it('keeps erased payloads erased', async () => {
      const log = await under.fresh();
      await example(log);
      await log.erasure.erase(S, { seqs: [3], reason: 'asked for' });
      const target = await under.fresh();
      await target.archive.restore(await readAllStored(log, S));
      expect(await target.archive.verify()).toMatchObject({ erased: 1, problems: [] });
    });

    it('takes types that this code does not know', async () => {
      const log = await under.fresh();
      const [event] = await example(log);
      const future: StoredEvent = { ...event!, type: 'from.the_future', v: 7, data: '{"a":1}', dataHash: sha256('{"a":1}') };
      future.hash = sha256(hashInput(future));
      const target = await under.fresh();
      await target.archive.restore([future]);
      expect(await readAllStored(target, S)).toEqual([future]);
      expect((await readAll(target, S))[0]).toMatchObject({ type: 'from.the_future', v: 7, data: { a: 1 } });
      expect((await target.archive.verify()).problems).toEqual([]);
    });

    it.each([
      ['that is not JSON', '{not json', 'invalid_json'],
      ['that is nested too deep', '['.repeat(65) + ']'.repeat(65), 'json_too_deep'],
      ['that is too large', JSON.stringify('x'.repeat(MAX_EVENT_BYTES)), 'payload_too_large'],
      ['that names a key twice', '{"a":1,"a":2}', 'forbidden_key'],
    ])('refuses a payload %s, also of a type that this code does not know', async (_, data, code) => {
      const [event] = await example(await under.fresh());
      const crafted: StoredEvent = { ...event!, type: 'from.the_future', v: 7, data, dataHash: sha256(data) };
      crafted.hash = sha256(hashInput(crafted));
      const target = await under.fresh();
      expect(await codeOf(target.archive.restore([crafted]))).toBe(code);
      expect(await target.head(S)).toMatchObject({ seq: 0 });
    });

    it('takes every text and every key that an append takes, and gives them back', async () => {
      const log = await under.fresh();
      const input = '{"__proto__":{"constructor":1},"prototype":null,"":[{"__proto__":[]}]}';
      const use = { name: 't', input: JSON.parse(input) as unknown, evaluated_permission: 'allow' };
      await log.append({
        stream: S,
        id: 'a',
        expected: 0,
        events: [message('NUL \u0000, half a pair \ud800'), { type: 'agent.tool_use', data: use, class: 'open', actor: 'sthr_1' }],
      });
      const target = await under.fresh();
      expect(await target.archive.restore(await readAllStored(log, S))).toEqual({ added: 2 });
      expect(await readAllStored(target, S)).toEqual(await readAllStored(log, S));
      const [, read] = await readAll(target, S);
      expect(JSON.stringify((read!.data as typeof use).input)).toBe(input);
      expect((await target.archive.verify()).problems).toEqual([]);
    });

    it('takes names of as many characters as an append takes, whatever they are made of', async () => {
      const log = await under.fresh();
      const name = '\u{1f4a5}'.repeat(200);
      const events = [message('1', { actor: name, causation: name }), message('2', { actor: 'a'.repeat(200) })];
      await log.append({ stream: S, id: name, expected: 0, correlation: name, events });
      expect((await log.archive.verify()).problems).toEqual([]);
      const target = await under.fresh();
      expect(await target.archive.restore(await readAllStored(log, S))).toEqual({ added: 2 });
      expect((await readAll(target, S)).map(({ id, actor }) => [id, actor])).toEqual([
        [name, name],
        [`${name}-1`, 'a'.repeat(200)],
      ]);
      expect((await target.archive.verify()).problems).toEqual([]);
    });

    it('adds all or nothing', async () => {
      const log = await under.fresh();
      const stored = await example(log);
      const change = (at: number, part: Partial<StoredEvent>): StoredEvent[] =>
        stored.map((event, i) => (i === at ? { ...event, ...part } : event));
      const target = await under.fresh();
      for (const [events, code] of [
        [change(4, { data: '{}' }), 'hash_mismatch'],
        [change(4, { actor: 'somebody' }), 'hash_mismatch'],
        [change(3, { dataHash: 'x' }), 'hash_mismatch'],
        [[...stored.slice(0, 3), stored[4]!], 'invalid_event'],
        [stored.slice(0, 3), 'invalid_event'],
        [stored.slice(1), 'head_conflict'],
        [[null as unknown as StoredEvent], 'hash_mismatch'],
      ] as const) {
        expect(await codeOf(target.archive.restore(events))).toBe(code);
        expect(await target.head(S)).toMatchObject({ seq: 0 });
      }
      await target.append({ stream: S, id: 'another', expected: 0, events: [message('went another way')] });
      expect(await codeOf(target.archive.restore(stored))).toBe('head_conflict');
      // Also when there is nothing to add: what is here is another event.
      expect(await codeOf(target.archive.restore(stored.slice(0, 1)))).toBe('head_conflict');
    });
  });

  describe('blobs', () => {
    it('are kept by what they hold', async () => {
      const log = await under.fresh();
      const bytes = new Uint8Array(300_000).map((_, i) => i % 251);
      const ref = await log.blobs.put(bytes);
      expect(ref).toEqual({ sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string, size_bytes: 300_000 });
      expect(await log.blobs.put(bytes)).toEqual(ref);
      expect(Buffer.compare((await log.blobs.get(ref.sha256))!, bytes)).toBe(0);
      expect(await log.blobs.get('0'.repeat(64))).toBeNull();
      expect(await log.blobs.get('no hash')).toBeNull();
      const empty = await log.blobs.put(new Uint8Array(0));
      expect(await log.blobs.get(empty.sha256)).toHaveLength(0);
      expect(await log.archive.verify()).toMatchObject({ blobs: 2, problems: [] });
    });
  });

  describe('verify', () => {
    it('counts, and tells how far it is', async () => {
      const log = await under.fresh();
      const { partitions } = log.capabilities;
      await fill(log, S, 300);
      const progress: [number, number][] = [];
      const { setAside = [], ...report } = await log.archive.verify((done, total) => progress.push([done, total]));
      expect(setAside).toEqual([]);
      expect(report).toEqual({
        events: partitions + 300,
        streams: partitions + 1,
        erased: 0,
        blobs: 0,
        problems: [],
      });
      expect(progress.at(-1)).toEqual([partitions + 300, partitions + 300]);
    });
  });

  describe('close', () => {
    it('is final, and may be called again', async () => {
      const log = await under.fresh();
      await log.close();
      await log.close();
      expect(await codeOf(log.append({ stream: S, id: 'a', expected: 0, events: [message('')] }))).toBe('store_unavailable');
      expect(await codeOf(log.head(S))).toBe('store_unavailable');
    });

    it('waits for what was asked for', async () => {
      const log = await under.fresh();
      const appends = Array.from({ length: 50 }, (_, i) => log.append({ stream: S, id: `a${i}`, expected: 'any', events: [message('x')] }));
      await log.close();
      expect((await Promise.all(appends)).at(-1)!.head.seq).toBe(50);
    });

    it('keeps everything for the next who opens it', async (context) => {
      const log = await under.fresh();
      context.skip(!log.capabilities.survives.process, `${log.capabilities.name}: lives in memory`);
      const stored = await example(log);
      const { logId } = log;
      await log.close();
      const again = await under.again();
      expect(again.logId).toBe(logId);
      expect(await readAllStored(again, S)).toEqual(stored);
      expect(await again.head(S)).toMatchObject({ seq: 5, epoch: 1 });
    });
  });

  describe('two handles', () => {
    it('agree on one chain', async (context) => {
      const log = await under.fresh();
      context.skip(!log.capabilities.shared, `${log.capabilities.name}: only one handle can write`);
      const other = await under.again();
      let position = 1;
      for (let i = 0; i < 20; i += 1) {
        const handle = i % 2 === 0 ? log : other;
        await handle.waitFor(position);
        const { seq } = await handle.head(S);
        expect(seq).toBe(i);
        ({ position } = await handle.append({ stream: S, id: `a${i}`, expected: seq, correlation: `r${i}`, events: [message('x')] }));
        expect(await codeOf((i % 2 === 0 ? other : log).append({ stream: S, id: `late${i}`, expected: seq, events: [message('x')] }))).toBe(
          'head_conflict',
        );
      }
      await log.waitFor(position);
      await other.waitFor(position);
      expect((await log.archive.verify()).problems).toEqual([]);
      expect(await readAll(log, S)).toHaveLength(20);
      expect(await readAll(log, S)).toEqual(await readAll(other, S));
    });
  });
}
