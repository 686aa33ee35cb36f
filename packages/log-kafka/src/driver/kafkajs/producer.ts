import type { Message, Producer } from 'kafkajs';
import { ProduceError, type DriverRecord } from '../driver.ts';
import { openClient, REQUEST_TIMEOUT_MS, within, type Client, type KafkajsConfig } from './client.ts';
import { protocolError, rootCause } from './client-error.ts';
import { messagesOf } from './record-format.ts';

/**
 * Answers that a broker gives before it appends. All others may come after: NOT_LEADER_FOR_PARTITION also when leadership was lost
 * between the append and its replication, and after a connection was lost kafkajs throws what it met while it looked for the leader.
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

/** A connected kafkajs producer. After a failure it gets no new requests, and is closed when its last has ended. */
interface Connection {
  client: Client;
  producer: Producer;
  /** Messages that kafkajs has given a partition: from then on a request may have been sent. */
  routed: WeakSet<Message>;
  inFlight: number;
}

/** Produces with acks=all and without retries. A failure makes the next call use new connections and new metadata. */
export class KafkajsProducer {
  readonly #config: KafkajsConfig;
  #connection: Promise<Connection> | null = null;
  #closed = false;

  constructor(config: KafkajsConfig) {
    this.#config = config;
  }

  /** Connects unless it is connected. */
  async connect(): Promise<void> {
    await this.#connected();
  }

  /** @throws ProduceError */
  async produce(topic: string, partition: number, records: readonly DriverRecord[]): Promise<void> {
    const { opening, connection } = await this.#connected().catch((error: unknown) => {
      throw failed('the producer is not connected', 'no', error);
    });
    const messages = messagesOf(records, partition);
    connection.inFlight += 1;
    try {
      const answers = await connection.producer.send({ topic, messages, acks: -1, timeout: REQUEST_TIMEOUT_MS - 1_000 });
      // kafkajs sends nothing, and says nothing, when the topic has no such partition.
      if (!answers.some((answer) => answer.partition === partition)) {
        throw new ProduceError(`${topic}/${partition}: there is no such partition`, { written: 'refused', cause: null });
      }
    } catch (error) {
      if (error instanceof ProduceError) throw error;
      const routed = messages[0] !== undefined && connection.routed.has(messages[0]);
      const refused = REFUSED_BEFORE_APPEND.has(protocolError(error) ?? '');
      if (!refused && this.#connection === opening) this.#connection = null;
      throw failed(`${topic}/${partition}`, refused ? 'refused' : routed ? 'unknown' : 'no', error);
    } finally {
      connection.inFlight -= 1;
      if (this.#connection !== opening && connection.inFlight === 0) connection.client.destroy();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const opening = this.#connection;
    this.#connection = null;
    await opening?.then(
      (connection) => connection.client.destroy(),
      () => {},
    );
  }

  async #connected(): Promise<{ opening: Promise<Connection>; connection: Connection }> {
    if (this.#closed) throw new Error('the driver is closed');
    const opening = (this.#connection ??= openConnection(this.#config));
    try {
      return { opening, connection: await opening };
    } catch (error) {
      if (this.#connection === opening) this.#connection = null;
      throw error;
    }
  }
}

async function openConnection(config: KafkajsConfig): Promise<Connection> {
  const client = openClient(config);
  const routed = new WeakSet<Message>();
  const producer = client.kafka.producer({
    allowAutoTopicCreation: false,
    retry: { retries: 0 },
    createPartitioner: () => (routing) => {
      routed.add(routing.message);
      return routing.message.partition ?? 0;
    },
  });
  try {
    await within(producer.connect(), REQUEST_TIMEOUT_MS, () => new Error('no broker answered in time'));
  } catch (error) {
    client.destroy();
    throw error;
  }
  return { client, producer, routed, inFlight: 0 };
}

function failed(where: string, written: ProduceError['written'], error: unknown): ProduceError {
  const cause = rootCause(error);
  return new ProduceError(`${where}: ${protocolError(cause) ?? cause.message}`, { written, cause });
}
