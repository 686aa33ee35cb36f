// A log on the shared broker, nodes on several machines, and an operator who does what he should not.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { NewEvent } from '@dreamfold/events';
import type { ReplicaStorage } from '@dreamfold/log/backend';
import kafkajs, { type Admin } from 'kafkajs';
import { vi, type TestContext } from 'vitest';
import type { FetchedRecord } from '../driver/driver.ts';
import { driverFor } from '../driver/driver-for.ts';
import type { KafkaLog } from '../kafka-log.ts';
import type { LogNotice } from '../kafka-node.ts';
import { parseKafkaUrl } from '../kafka-url.ts';
import { openKafkaLog, type KafkaLogOptions } from '../open-kafka-log.ts';

export const STREAM = 'session/kept';
export const EVENTS = 12;
const DELETED_MS = 10_000;

const OPEN = new URL('../open-kafka-log.ts', import.meta.url).href;
const run = promisify(execFile);

type TopicName = 'events' | 'keys' | 'blobs' | 'work';

export function user(text: string): NewEvent {
  return { type: 'user.message', data: { content: [{ type: 'text', text }] }, class: 'open', actor: 'user' };
}

/** Appends events to the stream, from one seq to another. */
export async function fill(log: KafkaLog, { from = 0, to = EVENTS, id = 'e' } = {}): Promise<void> {
  for (let i = from; i < to; i += 1) await log.append({ stream: STREAM, id: `${id}${i}`, expected: i, events: [user(`event ${i}`)] });
}

export class OperatedLog {
  readonly prefix = `operated-${randomBytes(4).toString('hex')}`;
  readonly root = mkdtempSync(join(tmpdir(), 'dreamfold-operated-'));
  readonly notices: LogNotice[] = [];
  readonly #onTestFinished: TestContext['onTestFinished'];
  /** Of the replica that node a has opened last. */
  #replica = '';

  readonly #brokers: string;
  readonly #storage: ReplicaStorage;

  constructor({ onTestFinished }: Pick<TestContext, 'onTestFinished'>, { brokers, storage }: { brokers: string; storage: ReplicaStorage }) {
    this.#onTestFinished = onTestFinished;
    this.#brokers = brokers;
    this.#storage = storage;
    onTestFinished(() => rmSync(this.root, { recursive: true }));
  }

  get url(): string {
    return `kafka://${this.#brokers}/${this.prefix}`;
  }

  /** With a client of its own: one that is kept fails at everything once a topic that it has asked for is deleted. */
  async asAdmin<Result>(run: (admin: Admin) => Promise<Result>): Promise<Result> {
    const admin = new kafkajs.Kafka({ brokers: this.#brokers.split(','), logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
    try {
      return await run(admin);
    } finally {
      await admin.disconnect();
    }
  }

  /** @param node each has a machine of its own */
  async open(node = 'a', options: Partial<KafkaLogOptions> = {}): Promise<KafkaLog> {
    const { url } = this;
    const onNotice = (notice: LogNotice): void => void this.notices.push(notice);
    const log = await openKafkaLog({ url, directory: join(this.root, node), storage: this.#storage, onNotice, ...options });
    this.#onTestFinished(() => log.close());
    if (node === 'a') this.#replica = log.directory;
    return log;
  }

  /** Opens it in a process of its own, which says the code of the error that it meets, and is left to end by itself. */
  async openElsewhere(node: string): Promise<{ stdout: string; ms: number }> {
    const options = JSON.stringify({ url: this.url, directory: join(this.root, node) });
    const { module, name } = this.#storage.source!;
    const program = `import { openKafkaLog } from ${JSON.stringify(OPEN)};
      import { ${name} as storage } from ${JSON.stringify(module)};
      await openKafkaLog({ ...${options}, storage }).catch(({ code }) => console.log(code));`;
    const start = performance.now();
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], { cwd: import.meta.dirname, timeout: 40_000 });
    return { stdout, ms: performance.now() - start };
  }

  /** A log with events, in a topic of two partitions. */
  async begin(): Promise<KafkaLog> {
    const log = await this.open('a', { url: `${this.url}?partitions=2` });
    await fill(log);
    return log;
  }

  topic(name: TopicName): string {
    return `${this.prefix}.${name}`;
  }

  async topics(): Promise<string[]> {
    const all = await this.asAdmin((admin) => admin.listTopics());
    return all.filter((topic) => topic.startsWith(`${this.prefix}.`)).sort();
  }

  /** Resolves when the brokers do not know them any more. */
  async delete(...names: TopicName[]): Promise<void> {
    const topics = names.map((name) => this.topic(name));
    await this.asAdmin((admin) => admin.deleteTopics({ topics }));
    await vi.waitFor(async () => {
      const left = await this.topics();
      if (topics.some((topic) => left.includes(topic))) throw new Error('still there');
    }, DELETED_MS);
  }

  /** Deletes a topic and makes it again, empty, with the same settings. */
  async remake(name: TopicName, partitions: number): Promise<void> {
    const topic = this.topic(name);
    const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name: topic };
    const { resources } = await this.asAdmin((admin) => admin.describeConfigs({ resources: [resource], includeSynonyms: false }));
    const configEntries = resources[0]!.configEntries
      .filter(({ isDefault }) => !isDefault)
      .map(({ configName, configValue: value }) => ({ name: configName, value }));
    await this.delete(name);
    await this.asAdmin((admin) => admin.createTopics({ topics: [{ topic, numPartitions: partitions, configEntries }] }));
  }

  /** The events' topic comes back as it was when each partition had at most so many records. */
  async restoreOlder(most: number): Promise<void> {
    const topic = this.topic('events');
    const driver = driverFor(parseKafkaUrl(this.url));
    await driver.connect();
    const ranges = (await driver.offsets(topic))!;
    const read: FetchedRecord[][] = ranges.map(() => []);
    const tail = await driver.tail({
      topic,
      from: new Map(ranges.map((_, partition) => [partition, 0])),
      onBatch: (partition, records) => void read[partition]!.push(...records),
      onFailed: () => {},
    });
    await vi.waitFor(() => {
      if (read.some(({ length }, partition) => length < ranges[partition]!.high)) throw new Error('not yet read');
    }, DELETED_MS);
    await tail.stop();
    await driver.close();
    await this.remake('events', ranges.length);
    const again = driverFor(parseKafkaUrl(this.url));
    await again.connect();
    for (const [partition, records] of read.entries()) await again.produce(topic, partition, records.slice(0, most).map(asWritten));
    await again.close();
  }

  async set(name: TopicName, setting: { name: string; value: string }): Promise<void> {
    const kept = { type: kafkajs.ConfigResourceTypes.TOPIC, name: this.topic(name) };
    const { resources } = await this.asAdmin((admin) => admin.describeConfigs({ resources: [kept], includeSynonyms: false }));
    const others = resources[0]!.configEntries.filter(({ isDefault, configName }) => !isDefault && configName !== setting.name);
    const configEntries = [...others.map(({ configName, configValue: value }) => ({ name: configName, value })), setting];
    await this.asAdmin((admin) => admin.alterConfigs({ validateOnly: false, resources: [{ ...kept, configEntries }] }));
  }

  async deleteRecords(before: { partition: number; offset: string }): Promise<void> {
    const topic = this.topic('events');
    await this.asAdmin(async (admin) => {
      // It asks the leaders that it knows.
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [before] });
    });
  }

  /** What stands beside the lock of node a. */
  kept(): string[] {
    return readdirSync(dirname(this.#replica)).filter((name) => !name.startsWith('processor.'));
  }

  /** A database of node a, in its replica or in one that was set aside. */
  database(partition: number, replica = 'replica'): string {
    return join(dirname(this.#replica), replica, `partition-${partition}`, 'replica.db');
  }
}

function asWritten({ key, value, headers }: FetchedRecord): { key: string; value: Uint8Array; headers: Record<string, string> } {
  const texts = Object.entries(headers).map(([name, bytes]) => [name, Buffer.from(bytes as Uint8Array).toString()]);
  return { key: Buffer.from(key!).toString(), value: value!, headers: Object.fromEntries(texts) as Record<string, string> };
}
