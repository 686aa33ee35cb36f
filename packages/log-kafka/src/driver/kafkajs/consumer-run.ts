import type { Consumer, ConsumerConfig, EachBatchPayload } from 'kafkajs';
import { openClient, within, type Client, type KafkajsConfig } from './client.ts';

/** A join that takes longer has failed: brokers wait 3 s for more members by default (group.initial.rebalance.delay.ms). */
const START_TIMEOUT_MS = 15_000;
const GRACE_MS = 800;
const WATCH_MS = 1_000;

export interface ConsumerRunOptions {
  config: KafkajsConfig;
  topic: string;
  consumer: Omit<ConsumerConfig, 'retry' | 'allowAutoTopicCreation'>;
  /** Partitions that may be handed over at the same time. */
  concurrency: number;
  /** The group has assigned these partitions, for the first time or again. What is sought here is where reading begins. */
  onJoin: (consumer: Consumer, joined: { partitions: readonly number[]; memberId: string }) => void;
  eachBatch: (payload: EachBatchPayload) => Promise<void>;
  /** The group has no other members: it is deleted in the end. */
  throwaway: boolean;
  /** How long a join may take beyond its own time: the group waits so long for a member that was killed. */
  othersMayTakeMs: number;
}

/**
 * A kafkajs consumer from its start to its first failure; it is never restarted. What kafkajs does on its own, with seconds between
 * the tries and without a word, is switched off.
 */
export class ConsumerRun {
  readonly #options: ConsumerRunOptions;
  readonly #client: Client;
  readonly #consumer: Consumer;
  readonly #lost = Promise.withResolvers<never>();
  readonly #handing = new Set<Promise<void>>();
  #watch: NodeJS.Timeout | undefined;
  #silentTicks = 0;
  #connected = false;
  #ended = false;

  constructor(options: ConsumerRunOptions) {
    this.#options = options;
    this.#client = openClient(options.config);
    this.#lost.promise.catch(() => {});
    this.#consumer = this.#client.kafka.consumer({
      ...options.consumer,
      allowAutoTopicCreation: false,
      // Of a join: a rebalance that begins in the middle of it is one more try.
      retry: { retries: 5, initialRetryTime: 100, maxRetryTime: 1_000, restartOnFailure: async () => await Promise.resolve(false) },
    });
    const { events } = this.#consumer;
    this.#consumer.on(events.CRASH, ({ payload }) => this.#lost.reject(payload.error));
    this.#consumer.on(events.GROUP_JOIN, ({ payload }) => {
      this.#alive();
      const { memberId, memberAssignment } = payload;
      if (!this.#ended) options.onJoin(this.#consumer, { partitions: memberAssignment[options.topic] ?? [], memberId });
    });
    this.#consumer.on(events.FETCH, () => this.#alive());
    this.#consumer.on(events.HEARTBEAT, () => this.#alive());
  }

  /** Resolves when the group has been joined and reading begins. */
  async start(): Promise<void> {
    const { topic, concurrency } = this.#options;
    const begin = async (): Promise<void> => {
      await this.#consumer.connect();
      this.#connected = true;
      await this.#consumer.subscribe({ topic, fromBeginning: true });
      await this.#consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: concurrency,
        eachBatch: async (payload) => await this.#hand(payload),
      });
    };
    await within(
      Promise.race([begin(), this.#lost.promise]),
      this.#patienceMs,
      () => new Error(`no answer when joining a group of ${topic}`),
    );
    this.#watch = setInterval(() => this.#tick(), WATCH_MS);
    this.#watch.unref();
  }

  get #patienceMs(): number {
    return START_TIMEOUT_MS + this.#options.othersMayTakeMs;
  }

  /** A broker has answered; what is missing is an answer of the group. */
  get isConnected(): boolean {
    return this.#connected;
  }

  /** Rejects when this consumer has failed. */
  async lost(): Promise<never> {
    return await this.#lost.promise;
  }

  /** Reading goes on at this offset. Between runs there is nothing to tell: `onJoin` says it anew. */
  seek(partition: number, offset: number): void {
    try {
      this.#consumer.seek({ topic: this.#options.topic, partition, offset: String(offset) });
    } catch (error) {
      // kafkajs has no state yet, or any more.
      if (!this.#ended && !(error instanceof Error && error.message.includes('not initialized'))) throw error;
    }
  }

  /** Leaves the group when there is time for it, and ends everything that was opened. */
  async end(options: { graceful: boolean }): Promise<void> {
    this.#ended = true;
    clearInterval(this.#watch);
    if (options.graceful) await within(this.#leave(), GRACE_MS, () => new Error('no time left')).catch(() => {});
    this.#client.destroy();
  }

  /** Resolves when no batch is being handed over any more. */
  async drained(): Promise<void> {
    await Promise.allSettled(this.#handing);
  }

  async #leave(): Promise<void> {
    await this.#consumer.disconnect();
    if (!this.#options.throwaway) return;
    const admin = this.#client.kafka.admin({ retry: { retries: 0 } });
    await admin.connect();
    await admin.deleteGroups([this.#options.consumer.groupId]);
  }

  async #hand(payload: EachBatchPayload): Promise<void> {
    if (this.#ended) return;
    const handing = this.#options.eachBatch(payload);
    this.#handing.add(handing);
    try {
      await handing;
    } finally {
      this.#handing.delete(handing);
      this.#alive();
    }
  }

  #alive(): void {
    this.#silentTicks = 0;
  }

  /** Ends a consumer that stands still without having failed. Ticks are counted, not time: a process that was suspended has not waited. */
  #tick(): void {
    if (this.#handing.size > 0) this.#alive();
    this.#silentTicks += 1;
    if (this.#silentTicks * WATCH_MS > this.#patienceMs) this.#lost.reject(new Error('the consumer stood still'));
  }
}
