// What was erased cannot be opened again, whoever writes to the topics; and what was not erased stays.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NewEvent } from '@dreamfold/events';
import type { Time } from '@dreamfold/log';
import { sqliteReplicas } from '@dreamfold/log/sqlite';
import kafkajs from 'kafkajs';
import { expect, inject, onTestFinished, test } from 'vitest';
import type { DriverRecord, FetchedRecord, KafkaDriver } from '../driver/driver.ts';
import { driverFor } from '../driver/driver-for.ts';
import type { KafkaLog } from '../kafka-log.ts';
import { parseKafkaUrl } from '../kafka-url.ts';
import { openKafkaLog } from '../open-kafka-log.ts';
import { decodeRecord } from '../partition/record-codec.ts';
import { eventKey, formatTree, parseTree, rootTree } from './key-tree.ts';

const STREAM = 'session/secretive';
const SECRET = 'the secret that was told';
const HOUR_MS = 3_600_000;
const SOON = { timeout: 40_000, interval: 200 };

function message(text: string): NewEvent {
  return { type: 'user.message', data: { content: [{ type: 'text', text }] }, class: 'open', actor: 'user' };
}

/** Timers that fire when a test says so. */
class Timers {
  now = Date.now();
  #due: (() => void)[] = [];

  readonly after: Time['after'] = (_, then) => {
    this.#due.push(then);
    return () => (this.#due = this.#due.filter((one) => one !== then));
  };

  /** All that wait, once. */
  fire(): void {
    for (const then of this.#due.splice(0)) then();
  }
}

interface Opened {
  log: KafkaLog;
  timers: Timers;
}

/** A log of its own with one partition, its nodes, and a client beside them. */
class Place {
  readonly root = mkdtempSync(join(tmpdir(), 'dreamfold-erasure-'));
  readonly prefix = `erasure-${randomBytes(4).toString('hex')}`;
  readonly driver: KafkaDriver;
  readonly #url: string;
  readonly #read = new Map<string, FetchedRecord[]>();

  constructor(delayMs: number) {
    onTestFinished(() => rmSync(this.root, { recursive: true }));
    this.#url = `kafka://${inject('kafkaBrokers')}/${this.prefix}?partitions=1&erase_delay_ms=${delayMs}`;
    this.driver = driverFor(parseKafkaUrl(this.#url));
    onTestFinished(() => this.driver.close());
  }

  async open(node: string, timers = new Timers()): Promise<Opened> {
    const directory = join(this.root, node);
    const { after } = timers;
    const log = await openKafkaLog({ url: this.#url, directory, storage: sqliteReplicas, clock: () => timers.now, after });
    onTestFinished(() => log.close());
    return { log, timers };
  }

  /** All records of a topic as it is now. */
  async records(topic: 'events' | 'keys'): Promise<readonly FetchedRecord[]> {
    const name = `${this.prefix}.${topic}`;
    const read = this.#read.get(name) ?? [];
    if (!this.#read.has(name)) {
      this.#read.set(name, read);
      const onBatch = (_: number, batch: readonly FetchedRecord[]): void => void read.push(...batch);
      const tail = await this.driver.tail({ topic: name, from: new Map([[0, 0]]), onBatch, onFailed: () => {} });
      onTestFinished(() => tail.stop());
    }
    const [range] = (await this.driver.offsets(name))!;
    while ((read.at(-1)?.offset ?? -1) < range!.high - 1) await sleep(20);
    return read;
  }

  /** The newest record of each key: what compaction leaves. */
  async trees(): Promise<Map<string, string>> {
    return new Map((await this.records('keys')).map(({ key, value }) => [textOf(key), textOf(value)]));
  }

  /** The texts that the events' topic gives to whoever may read both topics. */
  async readable(): Promise<string[]> {
    const trees = await this.trees();
    const keyOf = (id: string, seq: number): Uint8Array | null => eventKey(parseTree(trees.get(id) ?? '') ?? NO_KEYS, seq);
    return (await this.records('events')).flatMap((record) => decodeRecord(record, { keyOf }).payload ?? []);
  }

  write(id: string, text: string): Promise<void> {
    const record: DriverRecord = { key: id, value: Buffer.from(text), headers: {} };
    return this.driver.produce(`${this.prefix}.keys`, 0, [record]);
  }
}

const NO_KEYS = parseTree('{"v":2,"nodes":[]}')!;

function textOf(bytes: Uint8Array | null): string {
  return Buffer.from(bytes ?? []).toString('utf8');
}

async function textsOf(log: KafkaLog): Promise<string> {
  const texts: unknown[] = [];
  for await (const events of log.read(STREAM)) texts.push(...events.map(({ data }) => data));
  return JSON.stringify(texts);
}

async function seqsWith(log: KafkaLog, text: string): Promise<number[]> {
  const seqs: number[] = [];
  for await (const events of log.read(STREAM)) {
    for (const { seq, data } of events) if (JSON.stringify(data).includes(text)) seqs.push(seq);
  }
  return seqs;
}

test('no record of the topic opens to it any more, also none of an append that lost a race', async () => {
  const place = new Place(0);
  const [a, b] = [await place.open('a'), await place.open('b')];
  // Both write to one stream at once, several at a time: most are refused, and tried again on the next head.
  await Promise.all(
    Array.from({ length: 40 }, (_, i) =>
      (i % 2 === 0 ? a : b).log.append({
        ...{ stream: STREAM, id: `m${i}`, expected: 'any' as const },
        events: [message(i % 4 < 2 ? `${SECRET} ${i}` : `kept ${i}`)],
      }),
    ),
  );
  await expect.poll(async () => (await a.log.head(STREAM)).seq, SOON).toBe(40);
  const before = await place.readable();
  const copies = before.filter((text) => text.includes(SECRET)).length;
  expect(copies).toBeGreaterThan(20);
  const { events } = await a.log.erasure.erase(STREAM, { seqs: await seqsWith(a.log, SECRET), reason: 'a secret' });
  expect(events).toHaveLength(20);
  const after = await place.readable();
  expect(after.filter((text) => text.includes(SECRET))).toEqual([]);
  expect(new Set(after.filter((text) => text.includes('kept'))).size).toBe(20);
  await expect.poll(() => textsOf(b.log), SOON).not.toContain(SECRET);
  const fresh = await place.open('fresh');
  expect(await textsOf(fresh.log)).toBe(await textsOf(a.log));
  expect(await fresh.log.archive.verify()).toMatchObject({ erased: 20, problems: [] });
});

test('it is hidden at once everywhere; its keys go after the delay, by whoever runs then', async () => {
  const place = new Place(HOUR_MS);
  const a = await place.open('a');
  const b = await place.open('b');
  await a.log.append({ stream: STREAM, id: 'a', expected: 0, events: [message(SECRET)] });
  await expect.poll(() => textsOf(b.log), SOON).toContain(SECRET);
  await a.log.erasure.erase(STREAM, { seqs: [1], reason: 'a secret' });
  await expect.poll(() => textsOf(b.log), SOON).not.toContain(SECRET);
  const early = await place.open('early');
  expect(await textsOf(early.log)).not.toContain(SECRET);
  expect((await place.readable()).join()).toContain(SECRET);
  b.timers.fire();
  await a.log.close();
  await expect.poll(async () => (await b.log.head(STREAM)).seq).toBe(2);
  b.timers.now += HOUR_MS + 1000;
  b.timers.fire();
  await expect.poll(async () => (await place.readable()).join(), SOON).not.toContain(SECRET);
  const { length: written } = await place.records('keys');
  // Who comes later sees that it is done.
  const late = new Timers();
  late.now += 3 * HOUR_MS;
  await (await place.open('a', late)).log.close();
  expect(await place.records('keys')).toHaveLength(written);
});

test('a record of the keys from before the erasure, which comes back, is written over and opens nothing', async () => {
  const place = new Place(0);
  const a = await place.open('a');
  await a.log.append({ stream: STREAM, id: 'a', expected: 0, events: [message(SECRET)] });
  await a.log.append({ stream: STREAM, id: 'b', expected: 1, events: [message('kept')] });
  const former = await place.trees();
  await a.log.erasure.erase(STREAM, { seqs: [1], reason: 'a secret' });
  for (const [id, text] of former) await place.write(id, text);
  expect((await place.readable()).join()).toContain(SECRET);
  const isMended = async (): Promise<string> => {
    a.timers.fire();
    return (await place.readable()).join();
  };
  await expect.poll(isMended, SOON).not.toContain(SECRET);
  await a.log.close();
  // Nobody runs, the next one is new: the log says what was erased.
  for (const [id, text] of former) await place.write(id, text);
  const fresh = await place.open('fresh');
  expect(await textsOf(fresh.log)).not.toContain(SECRET);
  expect(await textsOf(fresh.log)).toContain('kept');
  await expect.poll(async () => (await place.readable()).join(), SOON).not.toContain(SECRET);
});

test('foreign records of the keys harm nobody who has the keys, and are written over', async () => {
  const place = new Place(0);
  const a = await place.open('a');
  await a.log.append({ stream: STREAM, id: 'a', expected: 0, events: [message('kept')] });
  const [[id, text]] = [...(await place.trees())] as [[string, string]];
  for (const foreign of ['{"v":2,"nodes":[]}', formatTree(rootTree(randomBytes(32))), 'no tree', '{"v":1,"nodes":[]}']) {
    await place.write(id, foreign);
    const isMended = async (): Promise<string | undefined> => {
      a.timers.fire();
      return (await place.trees()).get(id);
    };
    await expect.poll(isMended, SOON).toBe(text);
    expect(await textsOf(a.log)).toContain('kept');
  }
  // One that comes while the node is down, too.
  await place.write(id, '{"v":2,"nodes":[]}');
  await a.log.close();
  const again = await place.open('a');
  await expect.poll(async () => (await place.trees()).get(id), SOON).toBe(text);
  const fresh = await place.open('fresh');
  expect(await textsOf(fresh.log)).toBe(await textsOf(again.log));
  expect((await fresh.log.archive.verify()).problems).toEqual([]);
});

test('a topic of keys that was deleted and made anew is no erasure: verify names what is missing', async () => {
  const place = new Place(0);
  const { log } = await place.open('a');
  await log.append({ stream: STREAM, id: 'a', expected: 0, events: [message('lost')] });
  await log.close();
  const topic = `${place.prefix}.keys`;
  const spec = (await place.driver.describe(topic))!;
  const admin = new kafkajs.Kafka({ brokers: inject('kafkaBrokers').split(','), logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [topic] });
  const make = () =>
    admin.createTopics({
      topics: [{ topic, numPartitions: 1, configEntries: Object.entries(spec.settings).map(([name, value]) => ({ name, value })) }],
    });
  await expect.poll(() => make().catch(() => false), SOON).toBe(true);
  await admin.disconnect();
  const fresh = await place.open('fresh');
  const problem = 'its payload is missing, and nothing on the log says why';
  expect(await fresh.log.archive.verify()).toMatchObject({ erased: 0, problems: [{ stream: STREAM, seq: 1, problem }] });
});
