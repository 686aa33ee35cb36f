import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import {
  ProduceError,
  type DriverRecord,
  type FetchedRecord,
  type HeaderValue,
  type KafkaDriver,
  type KafkaPlace,
  type Membership,
  type OffsetRange,
  type Tail,
  type TailOptions,
  type TopicDescription,
  type TopicSpec,
} from '@dreamfold/log-kafka';
import { Admin, ConfigResourceTypes, Consumer, ListOffsetTimestamps, Producer, type RecordsBatch } from '@platformatic/kafka';

const LONG_POLL_MS = 250;
const PARTITION_BYTES = 10 * 1024 * 1024;
const FETCH_BYTES = 32 * 1024 * 1024;
const RETRY_MS = 100;

/** Kafka's code of an answer without error. */
const NONE = 0;

/**
 * The driver over @platformatic/kafka, as far as a log without TLS on brokers that stay needs it: to be measured, not to be relied on.
 * It reads with fetch requests of its own, without a consumer group.
 */
export function openPlatformaticDriver(place: KafkaPlace): KafkaDriver {
  return new PlatformaticDriver(place);
}

type Options = ConstructorParameters<typeof Admin>[0];

class PlatformaticDriver implements KafkaDriver {
  readonly name = 'platformatic';
  readonly #options: Options;
  readonly #admin: Admin;
  readonly #producer: Producer<Buffer, Buffer, string, string>;
  readonly #tails = new Set<PlatformaticTail>();

  constructor({ brokers, clientId }: KafkaPlace) {
    this.#options = { clientId, bootstrapBrokers: [...brokers], retries: 0, timeout: 10_000, autocreateTopics: false };
    this.#admin = new Admin(this.#options);
    const text = (value?: string): Buffer | undefined => (value === undefined ? undefined : Buffer.from(value));
    this.#producer = new Producer({ ...this.#options, acks: -1, idempotent: false, serializers: { headerKey: text, headerValue: text } });
  }

  async connect(): Promise<void> {
    await this.#admin.metadata({ topics: [] });
    await this.#producer.connectToBrokers();
  }

  async produce(topic: string, partition: number, records: readonly DriverRecord[]): Promise<void> {
    const messages = records.map(({ key, value, headers }) => ({
      topic,
      partition,
      key: Buffer.from(key),
      value: Buffer.from(value.buffer, value.byteOffset, value.byteLength),
      headers,
    }));
    try {
      await this.#producer.send({ messages });
    } catch (cause) {
      throw new ProduceError(`${topic}/${partition}: ${(cause as Error).message}`, { written: 'unknown', cause });
    }
  }

  async tail(options: TailOptions): Promise<Tail> {
    const tail = new PlatformaticTail(new Consumer({ ...this.#options, groupId: `unused-${randomUUID()}` }), options);
    this.#tails.add(tail);
    await tail.start();
    return tail;
  }

  async offsets(topic: string): Promise<readonly OffsetRange[] | null> {
    const count = await this.#partitionsOf(topic);
    if (count === null) return null;
    const ask = async (timestamp: bigint): Promise<number[]> => {
      const partitions = Array.from({ length: count }, (_, partitionIndex) => ({ partitionIndex, timestamp }));
      const [found] = await this.#admin.listOffsets({ topics: [{ name: topic, partitions }] });
      return found!.partitions.toSorted((a, b) => a.partitionIndex - b.partitionIndex).map(({ offset }) => Number(offset));
    };
    const [lows, highs] = await Promise.all([ask(ListOffsetTimestamps.EARLIEST), ask(ListOffsetTimestamps.LATEST)]);
    return lows.map((low, partition) => ({ low, high: highs[partition]! }));
  }

  async #partitionsOf(topic: string): Promise<number | null> {
    // Asked about a topic that is not there, it throws.
    if (!(await this.#admin.listTopics()).includes(topic)) return null;
    return (await this.#admin.metadata({ topics: [topic] })).topics.get(topic)!.partitionsCount;
  }

  async describe(topic: string): Promise<TopicDescription | null> {
    if ((await this.#partitionsOf(topic)) === null) return null;
    const { partitions } = (await this.#admin.metadata({ topics: [topic] })).topics.get(topic)!;
    const resources = [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configurationKeys: [] }];
    const [described] = await this.#admin.describeConfigs({ resources });
    return {
      replication: partitions.map(({ replicas }) => replicas.length),
      settings: Object.fromEntries(described!.configs.map(({ name, value }) => [name, value ?? ''])),
    };
  }

  async createTopic({ topic, partitions, replication, settings }: TopicSpec): Promise<void> {
    const configs = Object.entries(settings).map(([name, value]) => ({ name, value }));
    await this.#admin.createTopics({ topics: [topic], partitions, replicas: replication, configs });
    for (;;) {
      try {
        if ((await this.offsets(topic)) !== null) return;
      } catch {
        // Its partitions have no leaders yet.
      }
      await pause(RETRY_MS);
    }
  }

  async brokers(): Promise<number> {
    return (await this.#admin.metadata({ topics: [] })).brokers.size;
  }

  members(): Promise<number> {
    return Promise.resolve(0);
  }

  join(): Promise<Membership> {
    return Promise.reject(new Error('The driver over @platformatic/kafka joins no group: it is here to be measured.'));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#tails].map((tail) => tail.stop()));
    await Promise.all([this.#producer.close(), this.#admin.close()]);
  }
}

interface Position {
  next: number;
  seeks: number;
}

class PlatformaticTail implements Tail {
  readonly #consumer: Consumer;
  readonly #options: TailOptions;
  readonly #positions: Map<number, Position>;
  #loops: Promise<unknown> = Promise.resolve();
  #ended = false;

  constructor(consumer: Consumer, options: TailOptions) {
    this.#consumer = consumer;
    this.#options = options;
    this.#positions = new Map([...options.from].map(([partition, next]) => [partition, { next, seeks: 0 }]));
  }

  async start(): Promise<void> {
    const { topic } = this.#options;
    this.#consumer.topics.track(topic);
    const metadata = (await this.#consumer.metadata({ topics: [topic] })).topics.get(topic)!;
    const byLeader = new Map<number, number[]>();
    for (const partition of this.#positions.keys()) {
      const { leader } = metadata.partitions[partition]!;
      byLeader.set(leader, [...(byLeader.get(leader) ?? []), partition]);
    }
    this.#loops = Promise.all([...byLeader].map(([node, partitions]) => this.#follow({ node, topicId: metadata.id, partitions })));
  }

  seek(partition: number, offset: number): void {
    const position = this.#positions.get(partition)!;
    position.next = offset;
    position.seeks += 1;
  }

  async stop(): Promise<void> {
    this.#ended = true;
    await this.#loops;
    await this.#consumer.close(true);
  }

  /** One fetch request after the other for the partitions that a broker leads. */
  async #follow(of: { node: number; topicId: string; partitions: readonly number[] }): Promise<void> {
    while (!this.#ended) {
      const seeks = new Map(of.partitions.map((partition) => [partition, this.#positions.get(partition)!.seeks]));
      let fetched: Map<number, FetchedRecord[]>;
      try {
        fetched = await this.#fetch(of);
      } catch (error) {
        this.#options.onConnection?.(false, error as Error);
        await pause(RETRY_MS);
        continue;
      }
      try {
        await Promise.all([...fetched].map(([partition, records]) => this.#hand(partition, records, seeks.get(partition)!)));
      } catch (error) {
        this.#ended = true;
        this.#options.onFailed(error as Error);
      }
    }
  }

  async #fetch(of: { node: number; topicId: string; partitions: readonly number[] }): Promise<Map<number, FetchedRecord[]>> {
    const partitions = of.partitions.map((partition) => ({
      partition,
      currentLeaderEpoch: -1,
      fetchOffset: BigInt(this.#positions.get(partition)!.next),
      lastFetchedEpoch: -1,
      partitionMaxBytes: PARTITION_BYTES,
    }));
    const { responses } = await this.#consumer.fetch({
      node: of.node,
      topics: [{ topicId: of.topicId, partitions }],
      minBytes: 1,
      maxBytes: FETCH_BYTES,
      maxWaitTime: LONG_POLL_MS,
      isolationLevel: 0,
    });
    const fetched = new Map<number, FetchedRecord[]>();
    for (const { partitionIndex, errorCode, records } of responses.flatMap((topic) => topic.partitions)) {
      if (errorCode !== NONE) throw new Error(`${this.#options.topic}/${partitionIndex} can't be read: error ${errorCode} of Kafka`);
      const { next } = this.#positions.get(partitionIndex)!;
      // A fetch gives whole batches, also when it begins in the middle of one.
      const read = (records ?? []).flatMap(recordsOf).filter(({ offset }) => offset >= next);
      if (read.length > 0) fetched.set(partitionIndex, read);
    }
    return fetched;
  }

  async #hand(partition: number, records: readonly FetchedRecord[], seeks: number): Promise<void> {
    const position = this.#positions.get(partition)!;
    if (this.#ended || position.seeks !== seeks) return;
    await this.#options.onBatch(partition, records);
    if (position.seeks === seeks) position.next = records.at(-1)!.offset + 1;
  }
}

function recordsOf({ firstOffset, partitionLeaderEpoch, records }: RecordsBatch): FetchedRecord[] {
  return records.map(({ offsetDelta, key, value, headers }) => ({
    offset: Number(firstOffset) + offsetDelta,
    term: partitionLeaderEpoch,
    key,
    value,
    headers: headersOf(headers),
  }));
}

function headersOf(entries: readonly (readonly [Buffer | null, Buffer | null])[]): Record<string, HeaderValue> {
  const headers: Record<string, HeaderValue> = {};
  for (const [name, value] of entries) headers[name!.toString()] = value;
  return headers;
}
