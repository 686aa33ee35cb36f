import { randomUUID } from 'node:crypto';
import { AssignerProtocol, type EachBatchPayload, type IHeaders, type KafkaMessage, type PartitionAssigner } from 'kafkajs';
import type { FetchedRecord, HeaderValue, Tail, TailOptions } from '../driver.ts';
import { clientError } from './client-error.ts';
import type { KafkajsConfig } from './client.ts';
import type { ConsumerRunOptions } from './consumer-run.ts';
import { KeptConsumer } from './kept-consumer.ts';
import { fetchedBy } from './record-format.ts';

const HEARTBEAT_MS = 5_000;
/** Long, since nobody waits for the partitions: a process that is busy for half a minute keeps its place. */
const SESSION_TIMEOUT_MS = 60_000;
/** Brokers answer as soon as there is a byte; this is how long they hold an empty answer, and at most how long `stop` waits for it. */
const LONG_POLL_MS = 250;
/** More than a record batch may have (max.message.bytes is 8 MiB). */
const PARTITION_BYTES = 10 * 1024 * 1024;
const FETCH_BYTES = 32 * 1024 * 1024;

interface Position {
  next: number;
  seeks: number;
}

/**
 * Follows partitions with a consumer group of its own, of which nothing remains. Where reading goes on is known here alone: kafkajs
 * goes to the first record that there is, without a word, when an offset is out of range (records were deleted, the topic was made
 * anew), and at each join. After a join it is sent to the first offset that was not handed over. What is left of a partition after a
 * deletion shows as an offset that does not follow.
 *
 * @throws DreamfoldError store_unavailable, permission_denied
 */
export async function openTail(config: KafkajsConfig, options: TailOptions): Promise<Tail> {
  const tail = new KafkajsTail(config, options);
  await tail.start();
  return tail;
}

class KafkajsTail implements Tail {
  readonly #config: KafkajsConfig;
  readonly #options: TailOptions;
  readonly #positions: ReadonlyMap<number, Position>;
  #consumer: KeptConsumer | null = null;
  #ended = false;

  constructor(config: KafkajsConfig, options: TailOptions) {
    this.#config = config;
    this.#options = options;
    this.#positions = new Map([...options.from].map(([partition, next]) => [partition, { next, seeks: 0 }]));
  }

  async start(): Promise<void> {
    try {
      this.#consumer = await KeptConsumer.start({
        timeoutMs: this.#config.connectTimeoutMs,
        run: () => this.#run(),
        onConnection: (error) => {
          if (!this.#ended) this.#options.onConnection?.(error === null, error);
        },
      });
    } catch (error) {
      throw clientError(error, this.#config.brokers, `following ${this.#options.topic}`);
    }
  }

  seek(partition: number, offset: number): void {
    const position = this.#positions.get(partition);
    if (position === undefined) return;
    position.next = offset;
    position.seeks += 1;
    this.#consumer?.seek(partition, offset);
  }

  async stop(): Promise<void> {
    this.#ended = true;
    await this.#consumer?.stop();
  }

  #run(): ConsumerRunOptions {
    const { topic } = this.#options;
    return {
      config: this.#config,
      topic,
      throwaway: true,
      othersMayTakeMs: 0,
      concurrency: Math.max(1, this.#positions.size),
      consumer: {
        // A new name each time: under the old one a join waits until the broker has given up the consumer that was lost.
        groupId: `dreamfold-tail-${randomUUID()}`,
        partitionAssigners: [wholeAssigner([...this.#positions.keys()])],
        sessionTimeout: SESSION_TIMEOUT_MS,
        rebalanceTimeout: SESSION_TIMEOUT_MS,
        heartbeatInterval: HEARTBEAT_MS,
        minBytes: 1,
        maxWaitTimeInMs: LONG_POLL_MS,
        maxBytesPerPartition: PARTITION_BYTES,
        maxBytes: FETCH_BYTES,
        // Every record of the log, in its order: a transaction that somebody else leaves open does not hold it up.
        readUncommitted: true,
      },
      onJoin: (consumer, { partitions }) => {
        for (const partition of partitions) {
          const position = this.#positions.get(partition);
          if (position !== undefined) consumer.seek({ topic, partition, offset: String(position.next) });
        }
      },
      eachBatch: async (payload) => await this.#hand(payload),
    };
  }

  async #hand(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const position = this.#positions.get(batch.partition);
    if (position === undefined || this.#ended || payload.isStale()) return;
    const { seeks } = position;
    let missed: { error: unknown } | null = null;
    try {
      const handed = this.#options.onBatch(
        batch.partition,
        batch.messages.map((message) => fetchedBy(message) ?? fetchedRecord(message)),
      );
      // kafkajs heartbeats between batches only.
      if (handed instanceof Promise) missed = await beatingUntil(handed, async () => await payload.heartbeat());
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (position.seeks !== seeks) return;
    position.next = Number(batch.lastOffset()) + 1;
    payload.resolveOffset(batch.lastOffset());
    // The group was joined again meanwhile, which has sent it back to before this batch.
    if (payload.isStale()) this.#consumer?.seek(batch.partition, position.next);
    if (missed !== null) throw missed.error;
  }

  #fail(error: unknown): void {
    if (this.#ended) return;
    void this.stop().finally(() => this.#options.onFailed(error instanceof Error ? error : new Error(String(error))));
  }
}

/** What the heartbeats met, thrown later: it makes kafkajs join again, which must wait for the batch. */
async function beatingUntil(done: Promise<void>, heartbeat: () => Promise<void>): Promise<{ error: unknown } | null> {
  let missed: { error: unknown } | null = null;
  const timer = setInterval(() => {
    if (missed === null) heartbeat().catch((error: unknown) => (missed = { error }));
  }, HEARTBEAT_MS);
  try {
    await done;
  } finally {
    clearInterval(timer);
  }
  return missed;
}

/** Gives the only member what is followed. */
function wholeAssigner(partitions: number[]): PartitionAssigner {
  return () => ({
    name: 'dreamfold-tail',
    version: 0,
    protocol: ({ topics }) => ({
      name: 'dreamfold-tail',
      metadata: AssignerProtocol.MemberMetadata.encode({ version: 0, topics, userData: Buffer.alloc(0) }),
    }),
    assign: async ({ members, topics }) => {
      const assignment = Object.fromEntries(topics.map((topic) => [topic, partitions]));
      const memberAssignment = AssignerProtocol.MemberAssignment.encode({ version: 0, assignment, userData: Buffer.alloc(0) });
      return await Promise.resolve(members.map(({ memberId }) => ({ memberId, memberAssignment })));
    },
  });
}

function fetchedRecord(message: KafkaMessage): FetchedRecord {
  // Not in kafkajs's types: the header of the record batch.
  const { batchContext } = message as { batchContext?: { partitionLeaderEpoch: number } };
  return {
    offset: Number(message.offset),
    term: batchContext?.partitionLeaderEpoch ?? -1,
    key: message.key,
    value: message.value,
    headers: fetchedHeaders(message.headers ?? {}),
  };
}

/** kafkajs makes a list also of a header that is named like a property of all objects, and begins it with that property. */
function fetchedHeaders(headers: IHeaders): Record<string, HeaderValue> {
  const bytes = (value: unknown): value is Uint8Array | null => value === null || value instanceof Uint8Array;
  const read = (value: unknown): HeaderValue => {
    const values = Array.isArray(value) ? value.filter(bytes) : bytes(value) ? [value] : [];
    return values.length > 1 ? values : (values[0] ?? null);
  };
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, read(value)]));
}
