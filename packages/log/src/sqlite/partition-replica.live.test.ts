import { closeSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newEvent, type NewEvent, type StoredEvent } from '@dreamfold/events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newWriterName, prepareAppend, sha256, stampAppend } from '../rule/append.ts';
import { claim, collect, message } from '../conformance/log-under-test.ts';
import { openMemoryLog } from '../memory-log.ts';
import type { Head } from '../port.ts';
import type { FoldedAppend, PartitionRecord, PartitionReplica } from '../rule/replica.ts';
import { ANCHOR_AT_START, EMPTY_HEAD, isAnchored } from '../rule/rule.ts';
import { seeded } from '@dreamfold/core/testing';
import { openSqliteLog } from './open-sqlite-log.ts';
import { openPartitionReplica } from './partition-replica.ts';

const S = 'session/sesn_1';
const WRITER = newWriterName();
/** What `verify` is told of the rest of the log. */
const WHOLE = { skipped: new Set<string>(), hasBlob: () => true };

let root: string;
let directory: string;
let open: PartitionReplica[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dreamfold-replica-'));
  directory = join(root, 'p0');
  open = [];
});
afterEach(() => {
  for (const replica of open) replica.close();
  rmSync(root, { recursive: true });
});

function replica(at = directory, inPartition?: (stream: string) => boolean): PartitionReplica {
  const opened = openPartitionReplica({ directory: at, partition: 3, ...(inPartition === undefined ? {} : { inPartition }) });
  open.push(opened);
  return opened;
}

/** An append as its writer stamps it. */
function stamp(
  id: string,
  head: Head,
  { stream = S, events = [message(id)], epoch = 1 }: { stream?: string; events?: NewEvent[]; epoch?: number } = {},
): StoredEvent[] {
  return stampAppend(prepareAppend({ stream, id, expected: head.seq, epoch, events }, 1), head, WRITER);
}

function headAfter(events: readonly StoredEvent[], epoch = 0): Head {
  const { seq, hash } = events.at(-1)!;
  return { seq, hash, epoch };
}

/** Records as they stand in a partition, from its beginning. */
function recordsOf(contents: readonly unknown[], from = 0): PartitionRecord[] {
  return contents.map((record, i) => ({ offset: from + i, term: 1, bytes: JSON.stringify(record), record }));
}

function words(folded: readonly FoldedAppend[]): string[] {
  return folded.map(({ appendId, verdict }) => `${appendId} ${verdict.counted ? `counted ${verdict.ordinal}` : verdict.reason}`);
}

/** All that can be seen of a replica. */
async function contents(of: PartitionReplica): Promise<unknown> {
  const streams = await collect(of.streams());
  return {
    streams,
    stored: streams.map(({ stream }) => of.readStored(stream, 1, Number.MAX_SAFE_INTEGER)),
    after: of.readAfter(0),
    setAside: [...of.setAside()],
    anchor: of.anchor(),
  };
}

/** A partition as it may come to be: retries, races, torn and broken records, records of other partitions. */
function weather(seed: number): PartitionRecord[] {
  const random = seeded(seed);
  const below = (n: number): number => Math.floor(random() * n);
  const heads = new Map<string, Head>();
  const written: StoredEvent[][] = [];
  const log: unknown[] = [];
  for (let i = 0; i < 30; i += 1) {
    const stream = `session/s${below(3)}`;
    const head = heads.get(stream) ?? EMPTY_HEAD;
    const append = stamp(`a${i}`, head, { stream, events: Array.from({ length: 1 + below(4) }, (_, k) => message(`${i} ${k}`)) });
    const happens = below(10);
    if (happens === 0 && written.length > 0) log.push(...written[below(written.length)]!);
    else if (happens === 1) log.push(...append.slice(0, below(append.length + 1)));
    else if (happens === 2) log.push(...append.slice(1), { ...append[0]!, actor: 'somebody' });
    else if (happens === 3) log.push('no event', null, ...stamp(`o${i}`, EMPTY_HEAD, { stream: 'session/elsewhere' }));
    else {
      log.push(...append);
      if (happens === 4) log.push(...stamp(`late${i}`, head, { stream }));
      heads.set(stream, headAfter(append));
      written.push(append);
    }
  }
  return recordsOf(log);
}

const here = (stream: string): boolean => stream !== 'session/elsewhere';

describe('a replica', () => {
  it('begins empty', async () => {
    const empty = replica();
    expect(await contents(empty)).toEqual({ streams: [], stored: [], after: [], setAside: [], anchor: ANCHOR_AT_START });
    expect([empty.next(), empty.count(), empty.head(S), empty.find(S, 'a'), empty.appendSize(S, 'a')]).toEqual([0, 0, EMPTY_HEAD, null, 0]);
    expect([empty.epochAt(S, 1), empty.hashAt(S, 1), empty.fold([])]).toEqual([0, null, []]);
    expect((await empty.verify(WHOLE)).problems).toEqual([]);
  });

  it('reads like the log whose records it folded', async () => {
    const log = openMemoryLog();
    await log.append({ stream: S, id: 'c', expected: 0, epoch: 1, correlation: 'r', events: [claim(), message('1')] });
    for (let i = 0; i < 300; i += 1)
      await log.append({ stream: `session/s${i % 3}`, id: `a${i}`, expected: 'any', events: [message(`${i}`)] });
    const all = await collect(log.streams());
    const byHash = new Map<string, StoredEvent>();
    for (const { stream } of all) for (const event of await collect(log.archive.readStored(stream))) byHash.set(event.hash, event);
    const given = [];
    for await (const batch of log.readRange([0], await log.cursor())) given.push(...batch);

    const copy = replica();
    copy.fold(recordsOf(given.map(({ hash }) => byHash.get(hash))));
    expect(copy.count()).toBe(303);
    expect(await collect(copy.streams())).toEqual(all);
    expect([...copy.readAfter(0), ...copy.readAfter(256)]).toEqual(given);
    expect(copy.readStored(S, 1, 9)).toEqual(await collect(log.archive.readStored(S)));
    expect(copy.readStream(S, 2, 2)).toEqual(await collect(log.read(S, { from: 2 })));
    expect(
      copy
        .readStreamAfter('session/s0', 4)
        .map(({ seq, position }) => [seq, position])
        .slice(0, 2),
    ).toEqual([
      [2, 7],
      [3, 10],
    ]);
    expect(copy.head(S)).toEqual(await log.head(S));
    expect([copy.find(S, 'c'), copy.appendSize(S, 'c'), copy.epochAt(S, 2), copy.hashAt(S, 2)]).toEqual([
      { seq: 1, n: 2 },
      2,
      1,
      copy.head(S).hash,
    ]);
    expect(await copy.verify(WHOLE)).toMatchObject({ events: 303, streams: 5, problems: [] });
  });

  it('tells what became of each append', () => {
    const first = stamp('a', EMPTY_HEAD, { events: [message('1'), message('2')] });
    const head = headAfter(first);
    const [claimed] = stamp('c', head, { events: [claim()] });
    const late = stamp('late', EMPTY_HEAD);
    const zombie = stamp('z', headAfter([claimed!], 1), { events: [{ ...message('z'), class: 'owner' }], epoch: 0 });
    const folded = replica().fold(recordsOf([...first, claimed, ...first, ...late, ...zombie, first[0], 'not an event']));
    expect(words(folded)).toEqual(['a counted 2', 'c counted 3', 'a id_used', 'late head_passed', 'z fenced', 'a torn', 'null broken']);
    expect(folded[1]).toEqual({
      offset: 2,
      stream: S,
      appendId: 'c',
      hash: claimed!.hash,
      verdict: { counted: true, head: { seq: 3, hash: claimed!.hash, epoch: 1 }, ordinal: 3 },
    });
    expect(folded.at(-1)).toEqual({ offset: 8, stream: null, appendId: null, hash: null, verdict: { counted: false, reason: 'broken' } });
  });

  it('is the same however its records come, and wherever its process ends', { timeout: 60_000 }, async () => {
    let refused = 0;
    for (let seed = 1; seed <= 12; seed += 1) {
      const records = weather(seed);
      const whole = replica(join(root, `whole${seed}`), here);
      const folded = words(whole.fold(records));
      const random = seeded(seed);
      const at = join(root, `parts${seed}`);
      let part = replica(at, here);
      const verdicts: string[] = [];
      for (let next = 0; next < records.length; next = part.next()) {
        if (random() < 0.3) {
          part.close();
          part = replica(at, here);
          expect(part.next()).toBe(part.anchor().offset);
          expect(isAnchored(part.anchor(), records[part.next() - 1] ?? null, sha256)).toBe(true);
        }
        next = part.next();
        verdicts.push(...words(part.fold(records.slice(next, next + 1 + Math.floor(random() * 9)))));
      }
      expect(await contents(part)).toEqual(await contents(whole));
      expect(verdicts).toEqual(folded);
      expect(await part.verify(WHOLE)).toEqual(await whole.verify(WHOLE));
      refused += [...whole.setAside()].length;
    }
    expect(refused).toBeGreaterThan(50);
  });

  it('keeps an append whose rest has not come in memory, and its anchor before it', () => {
    const first = stamp('a', EMPTY_HEAD);
    const second = stamp('b', headAfter(first), { events: [message('1'), message('2'), message('3')] });
    const records = recordsOf([...first, ...second]);
    const before = replica();
    expect(words(before.fold(records.slice(0, 2)))).toEqual(['a counted 1']);
    expect([before.anchor().offset, before.next()]).toEqual([1, 2]);
    expect(before.fold(records.slice(2, 3))).toEqual([]);
    expect([before.anchor().offset, before.next()]).toEqual([1, 3]);
    expect(words(before.fold(records.slice(1, 3)))).toEqual([]);
    expect([before.anchor().offset, before.next()]).toEqual([1, 3]);
    before.close();
    const after = replica();
    expect([after.anchor().offset, after.next(), after.count()]).toEqual([1, 1, 1]);
    expect(words(after.fold(records.slice(1)))).toEqual(['b counted 4']);
    expect(after.anchor()).toEqual({ offset: 4, digest: sha256(records[3]!.bytes), term: 1 });
  });

  it('sets aside what is no event, with its bytes, and nothing else', () => {
    const first = stamp('a', EMPTY_HEAD, { events: [message('1'), message('2')] });
    const other = stamp('a', EMPTY_HEAD, { stream: 'session/elsewhere' });
    const records = recordsOf([first[0], ...other, ...first, ...first, { ...first[1], hash: 'x' }]);
    records.push({ offset: 7, term: 1, bytes: '\u0000ÿ'.repeat(600_000), record: 'noise' });
    const folding = replica(directory, here);
    folding.fold(records);
    const aside = [...folding.setAside()];
    expect(aside.map(({ offset, reason }) => [offset, reason])).toEqual([
      [0, 'torn'],
      [1, 'broken'],
      [6, 'broken'],
      [7, 'broken'],
    ]);
    expect(aside[1]).toEqual({ partition: 3, offset: 1, reason: 'broken', bytes: records[1]!.bytes });
    expect(Buffer.byteLength(aside[3]!.bytes)).toBeLessThanOrEqual(1024 * 1024 + 2);
    expect(records[7]!.bytes.startsWith(aside[3]!.bytes.slice(0, -1))).toBe(true);
    expect(folding.count()).toBe(2);
  });

  it('goes on after a payload that is no JSON, which counts by its hash', async () => {
    const [event] = stamp('a', EMPTY_HEAD);
    const [noise] = stampAppend(
      {
        ...prepareAppend({ stream: S, id: 'b', expected: 1, events: [message('')] }, 1),
        events: [{ ...event!, data: '{not json' }],
      },
      headAfter([event!]),
      WRITER,
    );
    const folding = replica();
    expect(words(folding.fold(recordsOf([event, noise])))).toEqual(['a counted 1', 'b counted 2']);
    expect(folding.readAfter(1)).toMatchObject([{ seq: 2, data: null }]);
    expect((await folding.verify(WHOLE)).problems).toEqual([]);
  });

  it('refuses a gap, and has folded nothing of it', () => {
    const first = stamp('a', EMPTY_HEAD);
    const records = recordsOf([...first, ...stamp('b', headAfter(first))]);
    const folding = replica();
    expect(() => folding.fold([records[1]!])).toThrow(expect.objectContaining({ code: 'invalid_argument', path: 'records/0/offset' }));
    folding.fold([records[0]!]);
    expect(() => folding.fold([records[0]!])).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    expect(() => folding.fold([records[1]!, records[1]!])).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    expect([folding.next(), folding.count()]).toEqual([1, 1]);
  });

  it('has folded nothing of what it could not store', async () => {
    const first = stamp('a', EMPTY_HEAD);
    const records = recordsOf([...first, 'noise']);
    const folding = replica();
    expect(() => folding.fold([records[0]!, { ...records[1]!, bytes: null as unknown as string }])).toThrow(/string/);
    expect([folding.next(), folding.count(), folding.head(S), folding.readAfter(0)]).toEqual([0, 0, EMPTY_HEAD, []]);
    expect(words(folding.fold(records))).toEqual(['a counted 1', 'null broken']);
    expect((await folding.verify(WHOLE)).problems).toEqual([]);
  });

  it('is folded by one process at a time', () => {
    const [one, two] = [replica(), replica()];
    const records = recordsOf(stamp('a', EMPTY_HEAD));
    one.fold(records);
    expect(() => two.fold(records)).toThrow(expect.objectContaining({ code: 'store_locked' }));
    expect(two.head(S).seq).toBe(1);
  });

  it('says so when it is closed, and may be closed again', () => {
    const closed = replica();
    closed.close();
    closed.close();
    expect(() => closed.head(S)).toThrow(expect.objectContaining({ code: 'store_unavailable' }));
    expect(() => closed.fold([])).toThrow(expect.objectContaining({ code: 'store_unavailable' }));
  });
});

describe('a sealed payload', () => {
  const [event] = stamp('a', EMPTY_HEAD);
  const sealed = (payload: string | null): PartitionRecord => ({ ...recordsOf([{ ...event!, data: null }])[0]!, payload });

  it('is kept opened', async () => {
    const folding = replica();
    folding.fold([sealed(event!.data)]);
    expect(folding.readStored(S, 1, 1)).toEqual([event]);
    expect((await folding.verify(WHOLE)).problems).toEqual([]);
  });

  it.each([
    ['is gone', null],
    ['is another', '{}'],
  ])('that %s leaves the event without it', async (_, payload) => {
    const folding = replica();
    expect(words(folding.fold([sealed(payload)]))).toEqual(['a counted 1']);
    expect(folding.readStored(S, 1, 1)).toEqual([{ ...event!, data: null }]);
    expect(await folding.verify(WHOLE)).toMatchObject({ erased: 0, problems: [{ stream: S, seq: 1 }] });
  });

  it('is erased from every file', () => {
    const secret = 'a secret of 24 characters';
    const events = stamp('a', EMPTY_HEAD, { events: [message(secret), message('kept')] });
    const folding = replica();
    folding.fold(recordsOf(events).map((record, i) => ({ ...record, record: { ...events[i]!, data: null }, payload: events[i]!.data })));
    const holding = (): string[] => readdirSync(directory).filter((name) => readFileSync(join(directory, name), 'latin1').includes(secret));
    expect(holding()).not.toEqual([]);
    const erasure = newEvent('log.erased', 'system', { events: ['a'], reason: 'a leaked key' });
    folding.fold(recordsOf(stamp('b', headAfter(events), { events: [erasure] }), 2));
    expect(holding()).toEqual([]);
    expect(folding.readStream(S, 1, 2).map(({ data }) => data === null)).toEqual([true, false]);
  });
});

describe('a damaged replica', () => {
  /** A replica of 40 events, closed; also its records. */
  function built(): PartitionRecord[] {
    let head = EMPTY_HEAD;
    const events = Array.from({ length: 40 }, (_, i) => {
      const [event] = stamp(`a${i}`, head);
      head = headAfter([event!]);
      return event;
    });
    const records = recordsOf(events);
    const folding = replica();
    folding.fold(records);
    folding.close();
    return records;
  }

  const cases: readonly [string, () => void][] = [
    ['cut short', () => truncateSync(join(directory, 'replica.db'), 8192)],
    ['empty', () => truncateSync(join(directory, 'replica.db'), 0)],
    [
      'overwritten',
      () => {
        const fd = openSync(join(directory, 'replica.db'), 'r+');
        writeSync(fd, Buffer.alloc(4096, 7), 0, 4096, 0);
        closeSync(fd);
      },
    ],
    ['gone', () => rmSync(join(directory, 'replica.db'))],
    ['without its head', () => rmSync(join(directory, 'head'))],
    ['with another head', () => writeFileSync(join(directory, 'head'), 'x')],
  ];
  it.each(cases)('%s is refused, deleted and built again', async (_, damage) => {
    const records = built();
    damage();
    expect(() => replica()).toThrow(expect.objectContaining({ code: 'store_corrupt' }));
    rmSync(directory, { recursive: true });
    const again = replica();
    expect(again.next()).toBe(0);
    again.fold(records);
    expect(again.count()).toBe(40);
    expect((await again.verify(WHOLE)).problems).toEqual([]);
  });

  it('is not taken for a log, nor a log for a replica', async () => {
    await (await openSqliteLog({ directory })).close();
    expect(() => replica()).toThrow(expect.objectContaining({ code: 'store_corrupt' }));
    rmSync(directory, { recursive: true });
    built();
    await expect(openSqliteLog({ directory })).rejects.toMatchObject({ code: 'store_corrupt' });
  });
});
