import { setTimeout as delay } from 'node:timers/promises';
import { DreamfoldError } from '@dreamfold/events';
import type { ClientConfig } from '../client-config.ts';
import { clientError, protocolError } from '../client-error.ts';
import type { OffsetRange, TopicDescription, TopicSpec } from '../driver.ts';
import { within } from '../within.ts';
import { BrokerError, PASSING } from './broker-error.ts';
import { coordinatorCall, createTopicCall, EARLIEST, groupCall, LATEST, offsetsCall, settingsCall } from './calls.ts';
import { Cluster } from './cluster.ts';

const ADMIN_TIMEOUT_MS = 30_000;
const RETRY_MS = 50;
const LEADER_NOT_AVAILABLE = 5;

/** Asks brokers about topics and groups, on connections of its own: an append that waits for its replicas holds up no question. */
export class Topics {
  readonly #config: ClientConfig;
  readonly #cluster: Cluster;

  constructor(config: ClientConfig) {
    this.#config = config;
    this.#cluster = new Cluster(config);
  }

  /** @throws DreamfoldError store_unavailable, permission_denied when no broker lets us in in time */
  async connect(timeoutMs: number): Promise<void> {
    await this.#ask('connecting', async () => void (await this.#cluster.metadata([])), timeoutMs);
  }

  /** How many there are. */
  async brokers(): Promise<number> {
    return await this.#ask('counting brokers', async () => (await this.#cluster.metadata([])).brokers.size);
  }

  /** One range for each partition, null when there is no such topic. */
  async offsets(topic: string): Promise<OffsetRange[] | null> {
    return await this.#ask(`reading the offsets of ${topic}`, async () => await unlessMissing(async () => await this.#offsets(topic)));
  }

  async #offsets(name: string): Promise<OffsetRange[]> {
    const { metadata, topic } = await this.#cluster.topic(name);
    const byLeader = Map.groupBy(topic.partitions, ({ leader }) => metadata.brokers.get(leader));
    const ranges = await Promise.all(
      [...byLeader].map(async ([address, led]) => {
        if (address === undefined) throw new BrokerError(LEADER_NOT_AVAILABLE, name);
        const partitions = led.map(({ partition }) => partition);
        const ask = async (at: number): Promise<Map<number, number>> => await this.#cluster.ask(address, offsetsCall(name, partitions, at));
        const [lows, highs] = await Promise.all([ask(EARLIEST), ask(LATEST)]);
        return partitions.map((partition) => ({ partition, low: lows.get(partition)!, high: highs.get(partition)! }));
      }),
    );
    return ranges
      .flat()
      .sort((a, b) => a.partition - b.partition)
      .map(({ low, high }) => ({ low, high }));
  }

  async describe(name: string): Promise<TopicDescription | null> {
    const describe = async (): Promise<TopicDescription> => {
      const { topic } = await this.#cluster.topic(name);
      const settings = await this.#cluster.askAny(settingsCall(name));
      return { replication: topic.partitions.map(({ replicas }) => replicas.length), settings };
    };
    return await this.#ask(`describing ${name}`, async () => await unlessMissing(describe));
  }

  /** Creates a topic; another process may do so at the same moment. Resolves when it can be written to. */
  async create(spec: TopicSpec): Promise<void> {
    await this.#ask(`creating ${spec.topic}`, async () => {
      try {
        await this.#cluster.askController(createTopicCall(spec));
      } catch (error) {
        if (protocolError(error) !== 'TOPIC_ALREADY_EXISTS') throw creationError(error, spec);
      }
      // What was created a moment ago is not known to every broker yet; where there are offsets, there are leaders.
      while ((await unlessMissing(async () => await this.#offsets(spec.topic))) === null) await delay(RETRY_MS);
    });
  }

  /** How many members a consumer group has. */
  async members(group: string): Promise<number> {
    return await this.#ask(`looking at the group ${group}`, async () => {
      const coordinator = await this.#cluster.askAny(coordinatorCall(group));
      return (await this.#cluster.ask(coordinator, groupCall(group))).members;
    });
  }

  close(): void {
    this.#cluster.close();
  }

  /** Passing answers are asked for again, and so is, once, what a connection that had been there before did not answer. */
  async #ask<Result>(doing: string, run: () => Promise<Result>, timeoutMs = ADMIN_TIMEOUT_MS): Promise<Result> {
    let late = false;
    const attempt = async (): Promise<Result> => {
      for (let failures = 0; ;) {
        try {
          return await run();
        } catch (error) {
          const type = protocolError(error);
          if (type === undefined) failures += 1;
          if (late || failures > 1 || (type !== undefined && !PASSING.has(type))) throw error;
          await delay(RETRY_MS);
        }
      }
    };
    try {
      return await within(attempt(), timeoutMs, () => new Error('no answer in time'));
    } catch (error) {
      throw clientError(error, this.#config.brokers, doing);
    } finally {
      late = true;
    }
  }
}

function creationError(error: unknown, spec: TopicSpec): unknown {
  const type = protocolError(error);
  if (type !== 'INVALID_REPLICATION_FACTOR' && type !== 'INVALID_CONFIG' && type !== 'POLICY_VIOLATION') return error;
  return new DreamfoldError('config_invalid', `The brokers refuse to create the topic ${spec.topic}: ${type}`, {
    path: 'topic',
    value: spec,
    remedy:
      'Ask for no more replicas than there are brokers and for settings that they allow, or create it by hand (kafka-topics --create).',
    cause: error,
  });
}

async function unlessMissing<Result>(ask: () => Promise<Result>): Promise<Result | null> {
  try {
    return await ask();
  } catch (error) {
    if (protocolError(error) === 'UNKNOWN_TOPIC_OR_PARTITION') return null;
    throw error;
  }
}
