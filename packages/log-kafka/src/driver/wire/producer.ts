import type { ClientConfig } from '../client-config.ts';
import { ProduceError, type DriverRecord } from '../driver.ts';
import { protocolError, rootCause } from '../client-error.ts';
import { produceCall } from './calls.ts';
import { Cluster } from './cluster.ts';
import { encodeBatch } from './record-batch.ts';

/**
 * Answers that a broker gives before it appends. All others may come after: NOT_LEADER_OR_FOLLOWER also when leadership was lost
 * between the append and its replication.
 */
const REFUSED_BEFORE_APPEND = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'INVALID_TOPIC_EXCEPTION',
  'INVALID_REQUIRED_ACKS',
  'NOT_ENOUGH_REPLICAS',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
  'POLICY_VIOLATION',
]);

/** Produces with acks=all and without retries. After a failure the next call looks for the leader again. */
export class Producer {
  readonly #cluster: Cluster;
  /** Address of the leader of each partition. */
  readonly #leaders = new Map<string, Promise<readonly (string | undefined)[]>>();

  constructor(config: ClientConfig) {
    this.#cluster = new Cluster(config);
  }

  /** @throws ProduceError */
  async produce(topic: string, partition: number, records: readonly DriverRecord[]): Promise<void> {
    const where = `${topic}/${partition}`;
    const connection = await this.#leaderOf(topic, partition)
      .then(async (leader) => await this.#cluster.connection(leader))
      .catch((error: unknown) => {
        this.#leaders.delete(topic);
        throw error instanceof ProduceError ? error : failed(where, 'no', error);
      });
    try {
      await connection.ask(produceCall(topic, partition, encodeBatch(records, Date.now())));
    } catch (error) {
      const refused = REFUSED_BEFORE_APPEND.has(protocolError(error) ?? '');
      if (!refused) this.#leaders.delete(topic);
      throw failed(where, refused ? 'refused' : 'unknown', error);
    }
  }

  async #leaderOf(topic: string, partition: number): Promise<string> {
    let finding = this.#leaders.get(topic);
    if (finding === undefined) this.#leaders.set(topic, (finding = this.#findLeaders(topic)));
    const leaders = await finding;
    if (partition >= leaders.length)
      throw new ProduceError(`${topic}/${partition}: there is no such partition`, { written: 'refused', cause: null });
    const leader = leaders[partition];
    if (leader === undefined) throw new Error('LEADER_NOT_AVAILABLE');
    return leader;
  }

  async #findLeaders(name: string): Promise<(string | undefined)[]> {
    const { metadata, topic } = await this.#cluster.topic(name);
    return topic.partitions.map(({ leader }) => metadata.brokers.get(leader));
  }

  close(): void {
    this.#cluster.close();
  }
}

function failed(where: string, written: ProduceError['written'], error: unknown): ProduceError {
  const cause = rootCause(error);
  return new ProduceError(`${where}: ${protocolError(cause) ?? cause.message}`, { written, cause });
}
