import { randomBytes } from 'node:crypto';
import type { ErasedEvent, SideStore } from '@dreamfold/log/backend';
import { expect, test } from 'vitest';
import type { FetchedRecord, KafkaDriver, TailOptions } from '../driver/driver.ts';
import { KeyRing } from './key-ring.ts';
import { formatTree, parseTree, puncture, rootTree } from './key-tree.ts';

const STREAM = 'session/sesn_1';
const FIRST = { stream: STREAM, attempt: 0 };

/** A topic of one partition in memory, and what a client does with it. */
class Topic {
  readonly records: FetchedRecord[] = [];
  readonly #tails: TailOptions[] = [];

  readonly driver = {
    offsets: async () => [{ low: 0, high: this.records.length }],
    produce: async (_topic: string, _partition: number, records: readonly { key: string; value: Uint8Array }[]) => {
      for (const { key, value } of records) await this.write(key, Buffer.from(value).toString());
    },
    tail: async (options: TailOptions) => {
      this.#tails.push(options);
      const from = options.from.get(0)!;
      if (from < this.records.length) await options.onBatch(0, this.records.slice(from));
      return { seek: () => {}, stop: async () => {} };
    },
  } as unknown as KafkaDriver;

  async write(key: string, text: string | null): Promise<void> {
    const value = text === null ? null : Buffer.from(text);
    const record: FetchedRecord = { offset: this.records.length, term: 0, key: Buffer.from(key), value, headers: {} };
    this.records.push(record);
    for (const tail of this.#tails) await tail.onBatch(0, [record]);
  }

  newest(key: string): string | undefined {
    const found = this.records.findLast((record) => Buffer.from(record.key!).toString() === key);
    return found?.value == null ? undefined : Buffer.from(found.value).toString();
  }
}

function sideStore(): SideStore {
  const keys = new Map<string, string>();
  const offsets = new Map<string, number>();
  return {
    putKey: (id: string, value: string) => void keys.set(id, value),
    getKey: (id: string) => keys.get(id) ?? null,
    keyIds: (prefix: string) => [...keys.keys()].filter((id) => id.startsWith(prefix)),
    offset: (topic: string) => offsets.get(topic) ?? 0,
    setOffset: (topic: string, offset: number) => void offsets.set(topic, offset),
    transaction: <T>(run: () => T) => run(),
  } as unknown as SideStore;
}

async function node(topic: Topic, { erased = [] as ErasedEvent[], store = sideStore() } = {}): Promise<KeyRing> {
  const fail = (error: Error | null): void => {
    if (error !== null) throw error;
  };
  const { driver } = topic;
  const ring = new KeyRing({ driver, topic: 'keys', store, erasedOf: () => erased, onRefused: fail, onFailed: fail });
  await ring.start();
  return ring;
}

const erasedAt = (seq: number, copies: ErasedEvent['copies'] = []): ErasedEvent => ({ seq, since: 0, isDestroyed: true, copies });

test('what is sent at a seq again is sealed with another key, and erasing one leaves the other', async () => {
  const topic = new Topic();
  const erased: ErasedEvent[] = [];
  const ring = await node(topic, { erased });
  await ring.prepare([FIRST, { stream: STREAM, attempt: 1 }]);
  const [lost, counted] = [ring.sealingKey(FIRST, 3), ring.sealingKey({ stream: STREAM, attempt: 1 }, 3)];
  expect(lost.id).not.toBe(counted.id);
  // The event that counts at 4 was tried at 3 before.
  erased.push(erasedAt(4, [{ keyId: lost.id, seq: 3 }]));
  await ring.destroy(STREAM, erased);
  expect([ring.keyOf(lost.id, 3), ring.keyOf(lost.id, 4), ring.keyOf(counted.id, 4)]).toEqual([null, null, null]);
  expect(ring.keyOf(counted.id, 3)).toEqual(counted.key);
  const { length } = topic.records;
  await ring.destroy(STREAM, erased);
  expect(topic.records).toHaveLength(length);
});

test('a record from before an erasure is narrowed and written over, also by a node that has just read it', async () => {
  const topic = new Topic();
  const erased = [erasedAt(1)];
  const store = sideStore();
  const ring = await node(topic, { erased, store });
  await ring.prepare([FIRST]);
  const { id } = ring.sealingKey(FIRST, 2);
  const former = topic.newest(id)!;
  await ring.destroy(STREAM, erased);
  const narrow = topic.newest(id)!;
  await topic.write(id, former);
  expect(ring.keyOf(id, 1)).toBeNull();
  // The process ends before it has written; the next one knows.
  const again = await node(topic, { erased, store });
  expect(again.isAmiss).toBe(true);
  await again.mend();
  expect(topic.newest(id)).toBe(narrow);
  expect(again.isAmiss).toBe(false);
});

test.each([
  ['with no keys', '{"v":2,"nodes":[]}'],
  ['of another root', formatTree(rootTree(randomBytes(32)))],
  ['of another root, punctured', formatTree(puncture(rootTree(randomBytes(32)), [9]))],
  ['that is none', 'no tree'],
  ['that is deleted', null],
])('a tree %s takes no key from who has them, and is written over', async (_, foreign) => {
  const topic = new Topic();
  const ring = await node(topic);
  await ring.prepare([FIRST]);
  const { id, key } = ring.sealingKey(FIRST, 2);
  const right = topic.newest(id);
  await topic.write(id, foreign);
  expect(ring.keyOf(id, 2)).toEqual(key);
  await ring.mend();
  expect(topic.newest(id)).toBe(right);
  const fresh = await node(topic);
  expect(fresh.keyOf(id, 2)).toEqual(key);
});

test('a narrower tree is taken once the log is known to say why, and nothing is written', async () => {
  const topic = new Topic();
  const [erased, late]: [ErasedEvent[], ErasedEvent[]] = [[erasedAt(1)], []];
  const ring = await node(topic, { erased });
  const lagging = await node(topic, { erased: late });
  await ring.prepare([FIRST]);
  const { id } = ring.sealingKey(FIRST, 2);
  await ring.destroy(STREAM, erased);
  expect(lagging.isAmiss).toBe(true);
  expect(lagging.keyOf(id, 1)).not.toBeNull();
  late.push({ ...erasedAt(1), isDestroyed: false });
  const { length } = topic.records;
  await lagging.mend();
  expect(lagging.keyOf(id, 1)).toBeNull();
  expect(topic.records).toHaveLength(length);
  expect(parseTree(topic.newest(id)!)!.nodes.size).toBe(120);
});
