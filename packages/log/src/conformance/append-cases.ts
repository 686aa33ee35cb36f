import { MAX_EVENT_BYTES, type LogEvent, type NewEvent } from '@dreamfold/events';
import { describe, expect, it } from 'vitest';
import { placeOf, positionOf, seenBy } from '../cursor.ts';
import { genesisStream } from '../rule/genesis.ts';
import { answer, claim, codeOf, fill, message, readAll, readAllStored, type LogUnderTest } from './log-under-test.ts';

const S = 'session/sesn_1';

export function describeAppend(under: LogUnderTest): void {
  describe('append', () => {
    it('gives head, position and events', async () => {
      const log = await under.fresh();
      const { partitions } = log.capabilities;
      const before = await log.cursor();
      const result = await log.append({
        stream: S,
        id: 'a',
        expected: 0,
        time: 5,
        correlation: 'req_1',
        events: [message('x'), message('y', { causation: 1 })],
      });
      expect(result).toMatchObject({ head: { seq: 2, epoch: 0 }, duplicate: false });
      const { partition, ordinal } = placeOf(result.position, partitions);
      expect(ordinal).toBe(before[partition]! + 2);
      expect(result.events.map(({ position }) => position)).toEqual(
        [ordinal - 1, ordinal].map((nth) => positionOf(partition, nth, partitions)),
      );
      expect(await log.cursor()).toEqual(before.map((seen, i) => (i === partition ? seen + 2 : seen)));
      expect(result.events).toEqual(await readAll(log, S));
      const { hash: _, ...second } = result.events[1]!;
      expect(second).toEqual({
        ...{ position: result.position, stream: S, seq: 2, id: 'a-1', time: 5, type: 'user.message', v: 2, causation: 1 },
        ...{ correlation: 'req_1', actor: 'user', data: { content: [{ type: 'text', text: 'y' }] } },
      } satisfies Omit<LogEvent, 'hash'>);
      expect(await log.head(S)).toEqual(result.head);
      expect(result.head.hash).toBe(result.events[1]!.hash);
    });

    it('has an empty head for a stream without events', async () => {
      const log = await under.fresh();
      expect(await log.head('session/none')).toEqual({ seq: 0, hash: '0', epoch: 0 });
    });

    it('begins every partition of a log with its genesis', async () => {
      const log = await under.fresh();
      const { partitions } = log.capabilities;
      expect(await log.cursor()).toEqual(Array.from({ length: partitions }, () => 1));
      for (let partition = 0; partition < partitions; partition += 1) {
        const [genesis] = await readAll(log, genesisStream(partition));
        expect(genesis).toMatchObject({
          position: partition + 1,
          seq: 1,
          type: 'log.genesis',
          data: { log_id: log.logId, partitions, erasure: true },
        });
      }
    });

    it('keeps payloads as JSON has them, not as the caller does', async () => {
      const log = await under.fresh();
      const data = { content: [{ type: 'text', text: 'é 🙂 \ud800 \u0000 \n' }], extra: undefined };
      const { events } = await log.append({ stream: S, id: 'a', expected: 0, events: [message('', { data })] });
      data.content[0]!.text = 'changed afterwards';
      const [read] = await readAll(log, S);
      expect(read!.data).toEqual({ content: [{ type: 'text', text: 'é 🙂 \ud800 \u0000 \n' }] });
      expect(Object.keys(read!.data as object)).toEqual(['content']);
      expect(events[0]!.data).toEqual(read!.data);
    });

    it('refuses a head that was passed or not reached', async () => {
      const log = await under.fresh();
      await fill(log, S, 2);
      await expect(log.append({ stream: S, id: 'late', expected: 1, events: [message('')] })).rejects.toMatchObject({
        code: 'head_conflict',
        path: S,
        value: 2,
      });
      await expect(log.append({ stream: S, id: 'early', expected: 3, events: [message('')] })).rejects.toMatchObject({
        code: 'head_conflict',
        value: 2,
      });
      expect((await log.head(S)).seq).toBe(2);
    });

    it("puts 'any' behind whatever head there is", async () => {
      const log = await under.fresh();
      await fill(log, S, 3);
      const { head } = await log.append({ stream: S, id: 'any', expected: 'any', events: [message('')] });
      expect(head.seq).toBe(4);
    });

    it('has one winner of 25 at each head, and loses no neighbour in the group', async () => {
      const log = await under.fresh();
      const results = await Promise.all(
        Array.from({ length: 25 }, (_, i) => [
          codeOf(log.append({ stream: S, id: `racer${i}`, expected: 0, events: [message(`${i}`)] })),
          codeOf(log.append({ stream: `session/own_${i}`, id: 'a', expected: 0, events: [message(`${i}`)] })),
        ]).flat(),
      );
      expect(results.filter((result) => result === 'resolved')).toHaveLength(26);
      expect(results.filter((result) => result === 'head_conflict')).toHaveLength(24);
      expect((await log.archive.verify()).problems).toEqual([]);
    });

    it('lets 25 writers who decide again all get through', async () => {
      const log = await under.fresh();
      const write = async (id: string): Promise<void> => {
        for (;;) {
          const { seq } = await log.head(S);
          const code = await codeOf(log.append({ stream: S, id, expected: seq, events: [message(id), message(id)] }));
          if (code === 'resolved') return;
          expect(code).toBe('head_conflict');
        }
      };
      await Promise.all(Array.from({ length: 25 }, (_, i) => write(`w${i}`)));
      expect((await readAll(log, S)).map((event) => event.seq)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
      expect((await log.archive.verify()).problems).toEqual([]);
    });

    it('keeps an append together while others write', async () => {
      const log = await under.fresh();
      const appends = Array.from({ length: 20 }, (_, i) =>
        log.append({ stream: S, id: `a${i}`, expected: 'any', events: [message('1'), message('2'), message('3')] }),
      );
      await Promise.all(appends);
      const stored = await readAllStored(log, S);
      expect(stored).toHaveLength(60);
      stored.forEach((event, at) => expect(event.append).toEqual({ id: stored[at - (at % 3)]!.id, i: at % 3, n: 3 }));
    });
  });

  describe('a partition', () => {
    it('holds whole streams, and whole appends one after the other', async () => {
      const log = await under.fresh();
      const { partitions } = log.capabilities;
      const names = Array.from({ length: 20 }, (_, i) => `session/s${i}`);
      await Promise.all(
        names.flatMap((stream) =>
          ['a', 'b', 'c'].map((id) => log.append({ stream, id, expected: 'any', events: [message('1'), message('2'), message('3')] })),
        ),
      );
      const taken = new Set<number>();
      for (const stream of names) {
        const places = (await readAll(log, stream)).map(({ position }) => placeOf(position, partitions));
        expect(new Set(places.map(({ partition }) => partition)).size).toBe(1);
        places.forEach(({ ordinal }, i) => expect(ordinal).toBe(places[i - (i % 3)]!.ordinal + (i % 3)));
        for (const { partition, ordinal } of places) taken.add(positionOf(partition, ordinal, partitions));
      }
      expect(taken.size).toBe(180);
      expect(seenBy(await log.cursor())).toBe(partitions + 180);
    });
  });

  describe('a retry', () => {
    it('counts once and gets the first result', async () => {
      const log = await under.fresh();
      const request = { stream: S, id: 'a', expected: 0, events: [message('x'), message('y')] };
      const first = await log.append(request);
      await log.append({ stream: S, id: 'b', expected: 2, events: [message('z')] });
      expect(await log.append(request)).toEqual({ ...first, duplicate: true });
      expect((await log.head(S)).seq).toBe(3);
    });

    it('counts once when both come at the same time', async () => {
      const log = await under.fresh();
      const request = { stream: S, id: 'a', expected: 0, events: [message('x')] };
      const [one, two] = await Promise.all([log.append(request), log.append(request)]);
      expect([one.duplicate, two.duplicate]).toEqual([false, true]);
      expect(two.events).toEqual(one.events);
    });

    it('with other events is a conflict, and so is the id of an inner event', async () => {
      const log = await under.fresh();
      await log.append({ stream: S, id: 'a', expected: 0, events: [message('x'), message('y')] });
      for (const [id, events] of [
        ['a', [message('other'), message('y')]],
        ['a', [message('x')]],
        ['a', [message('x'), answer('y')]],
        ['a-1', [message('y')]],
      ] as const) {
        expect(await codeOf(log.append({ stream: S, id, expected: 2, epoch: 0, events }))).toBe('idempotency_conflict');
      }
      expect((await log.head(S)).seq).toBe(2);
    });

    it('in another stream is another append', async () => {
      const log = await under.fresh();
      await log.append({ stream: S, id: 'a', expected: 0, events: [message('x')] });
      expect(await log.append({ stream: 'session/other', id: 'a', expected: 0, events: [message('x')] })).toMatchObject({
        duplicate: false,
      });
    });

    it('finds its result after the payload was erased', async () => {
      const log = await under.fresh();
      const request = { stream: S, id: 'a', expected: 0, events: [message('x')] };
      await log.append(request);
      await log.erasure.erase(S, { seqs: [1], reason: 'asked for' });
      expect(await log.append(request)).toMatchObject({ duplicate: true, events: [{ data: null }] });
    });
  });

  describe('ownership', () => {
    it('is claimed with the next epoch, by one of many', async () => {
      const log = await under.fresh();
      const claims = await Promise.all(
        Array.from({ length: 5 }, (_, i) =>
          codeOf(log.append({ stream: S, id: `c${i}`, expected: 0, epoch: 1, events: [claim(`n${i}`)] })),
        ),
      );
      expect(claims.filter((code) => code === 'resolved')).toHaveLength(1);
      expect(claims.filter((code) => code === 'fenced')).toHaveLength(4);
      expect(await log.head(S)).toMatchObject({ seq: 1, epoch: 1 });
    });

    it('fences a zombie, even one that knows the newest head', async () => {
      const log = await under.fresh();
      await log.append({ stream: S, id: 'c1', expected: 0, epoch: 1, events: [claim()] });
      await log.append({ stream: S, id: 'o1', expected: 1, epoch: 1, events: [answer('mine')] });
      await log.append({ stream: S, id: 'c2', expected: 2, epoch: 2, events: [claim('other')] });
      for (const expected of [2, 3]) {
        await expect(log.append({ stream: S, id: `z${expected}`, expected, epoch: 1, events: [answer('zombie')] })).rejects.toMatchObject({
          code: 'fenced',
          path: S,
          value: 2,
        });
      }
      expect(await codeOf(log.append({ stream: S, id: 'early', expected: 3, epoch: 3, events: [answer('not yet')] }))).toBe('fenced');
      expect(await codeOf(log.append({ stream: S, id: 'c4', expected: 3, epoch: 4, events: [claim('skips one')] }))).toBe('fenced');
      expect(await log.append({ stream: S, id: 'o2', expected: 3, epoch: 2, events: [answer('new owner')] })).toMatchObject({
        head: { seq: 4, epoch: 2 },
      });
      expect(await log.append({ stream: S, id: 'u', expected: 'any', events: [message('anyone')] })).toMatchObject({ head: { epoch: 2 } });
    });

    it('can be claimed and used in one append', async () => {
      const log = await under.fresh();
      const { head } = await log.append({ stream: S, id: 'c', expected: 0, epoch: 1, events: [claim(), answer('at once')] });
      expect(head).toMatchObject({ seq: 2, epoch: 1 });
    });

    it('is part of the first result that a retry gets', async () => {
      const log = await under.fresh();
      const request = { stream: S, id: 'c1', expected: 0, epoch: 1, events: [claim()] };
      const first = await log.append(request);
      await log.append({ stream: S, id: 'c2', expected: 1, epoch: 2, events: [claim('other')] });
      expect(await log.append(request)).toEqual({ ...first, duplicate: true });
    });
  });

  describeBadAppends(under);
}

function describeBadAppends(under: LogUnderTest): void {
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  const use = (input: unknown): NewEvent => ({
    type: 'agent.tool_use',
    data: { name: 't', input, evaluated_permission: 'allow' },
    class: 'open',
    actor: 'sthr_1',
  });
  const good = { stream: S, id: 'a', expected: 0, events: [message('x')] };
  const big = (bytes: number): NewEvent => message('x'.repeat(bytes));

  const cases: readonly [string, unknown, string][] = [
    ['no expected head', { ...good, expected: undefined }, 'expected_head_required'],
    ["'any' for an owner's event", { ...good, expected: 'any', epoch: 0, events: [answer('x')] }, 'expected_head_required'],
    ['a negative head', { ...good, expected: -1 }, 'invalid_argument'],
    ['a head that is text', { ...good, expected: '0' }, 'invalid_argument'],
    ['no events', { ...good, events: [] }, 'invalid_argument'],
    ['events that are no array', { ...good, events: 'x' }, 'invalid_argument'],
    ['an owner without an epoch', { ...good, events: [answer('x')] }, 'invalid_argument'],
    ['a stream without kind', { ...good, stream: 'sesn_1' }, 'invalid_argument'],
    ['a stream of an unknown kind', { ...good, stream: 'other/x' }, 'invalid_argument'],
    ['a stream with #', { ...good, stream: 'session/a#1' }, 'invalid_argument'],
    ['a stream with a path in it', { ...good, stream: 'session/../x' }, 'invalid_argument'],
    ['a stream that is no text', { ...good, stream: 7 }, 'invalid_argument'],
    ['an empty id', { ...good, id: '' }, 'invalid_argument'],
    ['an id of two lines', { ...good, id: 'a\nb' }, 'invalid_argument'],
    ['an id with half a surrogate pair', { ...good, id: 'a\ud800' }, 'invalid_argument'],
    ['an id of 201 characters', { ...good, id: 'a'.repeat(201) }, 'invalid_argument'],
    ['an id of 201 characters of two UTF-16 units', { ...good, id: '\u{1f4a5}'.repeat(201) }, 'invalid_argument'],
    ['an empty correlation', { ...good, correlation: '' }, 'invalid_argument'],
    ['a time before 1970', { ...good, time: -1 }, 'invalid_argument'],
    ['no actor', { ...good, events: [message('x', { actor: undefined as unknown as string })] }, 'invalid_argument'],
    ['an empty actor', { ...good, events: [message('x', { actor: '' })] }, 'invalid_argument'],
    ['a cause that begins with #', { ...good, events: [message('x', { causation: '#1' })] }, 'invalid_argument'],
    ['an unknown class', { ...good, events: [message('x', { class: 'root' as 'open' })] }, 'invalid_argument'],
    ['an event that is null', { ...good, events: [null] }, 'invalid_argument'],
    ['an unknown type', { ...good, events: [message('x', { type: 'user.massage' })] }, 'unknown_event_type'],
    ['a version from the future', { ...good, events: [message('x', { v: 99 })] }, 'unsupported_schema_version'],
    ['a payload of another shape', { ...good, events: [message('x', { data: { content: 'x' } })] }, 'invalid_event'],
    ['no payload', { ...good, events: [message('x', { data: undefined })] }, 'invalid_event'],
    ['one bad event among good ones', { ...good, events: [message('x'), message('x', { data: 1 })] }, 'invalid_event'],
    ['NaN', { ...good, events: [use({ n: Number.NaN })] }, 'invalid_event'],
    ['Infinity in an array', { ...good, events: [use([1, Number.POSITIVE_INFINITY])] }, 'invalid_event'],
    ['undefined in an array', { ...good, events: [use([undefined])] }, 'invalid_event'],
    ['a BigInt', { ...good, events: [use({ n: 1n })] }, 'invalid_event'],
    ['a function', { ...good, events: [use({ f: () => 1 })] }, 'invalid_event'],
    ['a Map', { ...good, events: [use(new Map([['a', 1]]))] }, 'invalid_event'],
    ['a Date', { ...good, events: [use(new Date(0))] }, 'invalid_event'],
    ['an object that gives something else as JSON', { ...good, events: [use({ toJSON: () => 1 })] }, 'invalid_event'],
    ['a field that is undefined where there has to be one', { ...good, events: [use(undefined)] }, 'invalid_event'],
    ['a cycle', { ...good, events: [use(cycle)] }, 'json_too_deep'],
    ['a payload over the limit', { ...good, events: [big(MAX_EVENT_BYTES)] }, 'payload_too_large'],
    [
      'a payload over the limit in bytes, not characters',
      { ...good, events: [message('é'.repeat(MAX_EVENT_BYTES / 2))] },
      'payload_too_large',
    ],
  ];

  describe('a bad append', () => {
    it.each(cases)('%s', async (_, request, code) => {
      const log = await under.fresh();
      const before = await log.cursor();
      const error: unknown = await log.append(request as typeof good).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ name: 'DreamfoldError', code, remedy: expect.stringMatching(/\w/) as string });
      expect(await log.cursor()).toEqual(before);
      expect(await log.append(good)).toMatchObject({ head: { seq: 1 } });
    });

    it('is not one that just fits', async () => {
      const log = await under.fresh();
      const overhead = JSON.stringify(message('').data).length;
      await log.append({ ...good, events: [big(MAX_EVENT_BYTES - overhead)] });
      expect(await codeOf(log.append({ ...good, id: 'b', expected: 1, events: [big(MAX_EVENT_BYTES - overhead + 1)] }))).toBe(
        'payload_too_large',
      );
      expect((await log.archive.verify()).problems).toEqual([]);
    });
  });
}
