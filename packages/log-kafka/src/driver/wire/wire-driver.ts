import { DEFAULT_CONNECT_TIMEOUT_MS, type ClientConfig } from '../client-config.ts';
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
import { joinGroup, type OpenMember } from '../membership.ts';
import { Producer } from './producer.ts';
import { openTail } from './tail.ts';
import { Topics } from './topics.ts';

/**
 * The driver over requests of our own. It opens no connection before it needs one.
 * @param loadMember loads somebody's client, which joins consumer groups
 */
export function openWireDriver(config: ClientConfig, loadMember: () => Promise<OpenMember>): KafkaDriver {
  return new WireDriver(config, loadMember);
}

class WireDriver implements KafkaDriver {
  readonly name = 'dreamfold';
  readonly #config: ClientConfig;
  readonly #loadMember: () => Promise<OpenMember>;
  readonly #topics: Topics;
  readonly #producer: Producer;
  /** What `close` has to end. */
  readonly #open = new Set<() => Promise<void>>();

  constructor(config: ClientConfig, loadMember: () => Promise<OpenMember>) {
    this.#config = config;
    this.#loadMember = loadMember;
    this.#topics = new Topics(config);
    this.#producer = new Producer(config);
  }

  async connect(): Promise<void> {
    await this.#topics.connect(this.#config.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS);
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
    return await this.#topics.offsets(topic);
  }

  async describe(topic: string): Promise<TopicDescription | null> {
    return await this.#topics.describe(topic);
  }

  async createTopic(spec: TopicSpec): Promise<void> {
    await this.#topics.create(spec);
  }

  async brokers(): Promise<number> {
    return await this.#topics.brokers();
  }

  async members(group: string): Promise<number> {
    return await this.#topics.members(group);
  }

  async join(options: MembershipOptions): Promise<Membership> {
    const joining = new AbortController();
    const giveUp = this.#ending(async () => await Promise.resolve(joining.abort()));
    const membership = await joinGroup(this.#config, options, { open: await this.#loadMember(), signal: joining.signal }).finally(() =>
      this.#open.delete(giveUp),
    );
    return { leave: this.#ending(async () => await membership.leave()) };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map(async (end) => await end()));
    this.#topics.close();
    this.#producer.close();
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
