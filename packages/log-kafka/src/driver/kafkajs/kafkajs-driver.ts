import type {
  DriverRecord,
  KafkaDriver,
  Membership,
  MembershipOptions,
  OffsetRange,
  Tail,
  TailOptions,
  TopicDescription,
  TopicSpec,
} from '../driver.ts';
import { clientError } from './client-error.ts';
import { DEFAULT_CONNECT_TIMEOUT_MS, within, type KafkajsConfig } from './client.ts';
import { joinGroup } from './membership.ts';
import { KafkajsProducer } from './producer.ts';
import { openTail } from './tail.ts';
import { brokerCount, createTopic, describeTopic, memberCount, topicOffsets, withAdmin } from './topics.ts';

/** The driver over kafkajs. It opens no connection before `connect`. */
export function openKafkajsDriver(config: KafkajsConfig): KafkaDriver {
  return new KafkajsDriver(config);
}

class KafkajsDriver implements KafkaDriver {
  readonly name = 'kafkajs';
  readonly #config: KafkajsConfig;
  readonly #producer: KafkajsProducer;
  /** What `close` has to end. */
  readonly #open = new Set<() => Promise<void>>();

  constructor(config: KafkajsConfig) {
    this.#config = config;
    this.#producer = new KafkajsProducer(config);
  }

  async connect(): Promise<void> {
    const timeoutMs = this.#config.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS;
    const deadline = performance.now() + timeoutMs;
    // A listener that wants a password answers the first question of a stranger, and closes the connection at the second: ask two.
    await withAdmin(this.#config, { doing: 'connecting', timeoutMs, run: async (admin) => await admin.describeCluster() });
    try {
      await within(this.#producer.connect(), deadline - performance.now(), () => new Error('no answer in time'));
    } catch (error) {
      throw clientError(error, this.#config.brokers, 'connecting');
    }
  }

  async produce(topic: string, partition: number, records: readonly DriverRecord[]): Promise<void> {
    await this.#producer.produce(topic, partition, records);
  }

  async tail(options: TailOptions): Promise<Tail> {
    const tail = await openTail(this.#config, options);
    const stop = this.#ending(async () => await tail.stop());
    return { seek: (partition, offset) => tail.seek(partition, offset), stop };
  }

  async offsets(topic: string): Promise<readonly OffsetRange[] | null> {
    return await topicOffsets(this.#config, topic);
  }

  async describe(topic: string): Promise<TopicDescription | null> {
    return await describeTopic(this.#config, topic);
  }

  async createTopic(spec: TopicSpec): Promise<void> {
    await createTopic(this.#config, spec);
  }

  async brokers(): Promise<number> {
    return await brokerCount(this.#config);
  }

  async members(group: string): Promise<number> {
    return await memberCount(this.#config, group);
  }

  async join(options: MembershipOptions): Promise<Membership> {
    const joining = new AbortController();
    const giveUp = this.#ending(async () => await Promise.resolve(joining.abort()));
    const membership = await joinGroup(this.#config, options, joining.signal).finally(() => this.#open.delete(giveUp));
    return { leave: this.#ending(async () => await membership.leave()) };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map(async (end) => await end()));
    await this.#producer.close();
  }

  #ending(end: () => Promise<void>): () => Promise<void> {
    const once = async (): Promise<void> => {
      this.#open.delete(once);
      await end();
    };
    this.#open.add(once);
    return once;
  }
}
