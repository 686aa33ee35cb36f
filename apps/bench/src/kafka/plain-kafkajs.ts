import type { DriverRecord } from '@dreamfold/log-kafka';
import { Kafka, logLevel, type Producer } from 'kafkajs';

/** kafkajs as it comes. */
export class PlainKafkajs {
  readonly #kafka: Kafka;
  readonly #producer: Producer;

  constructor(brokers: string) {
    this.#kafka = new Kafka({ brokers: brokers.split(','), clientId: 'bench', logLevel: logLevel.NOTHING });
    this.#producer = this.#kafka.producer({ createPartitioner: () => (routing) => routing.message.partition! });
  }

  async connect(): Promise<void> {
    await this.#producer.connect();
  }

  async produce(topic: string, partition: number, records: readonly DriverRecord[]): Promise<void> {
    const messages = records.map(({ key, value, headers }) => ({ key, value: value as Buffer, headers, partition }));
    await this.#producer.send({ topic, messages, acks: -1 });
  }

  /** Deletes topics, and ends. */
  async close(topics: string[]): Promise<void> {
    await this.#producer.disconnect();
    const admin = this.#kafka.admin();
    await admin.connect();
    await admin.deleteTopics({ topics });
    await admin.disconnect();
  }
}
