import { Kafka, logLevel, type Admin } from 'kafkajs';
import { onTestFinished, vi } from 'vitest';
import { type FetchedRecord, type KafkaDriver, type Tail, type TailOptions } from '../driver.ts';
import { openDriver } from '../driver-for.ts';

let topics = 0;

export async function connected(brokers: string): Promise<KafkaDriver> {
  const driver = openDriver({ brokers: brokers.split(','), clientId: 'test' });
  onTestFinished(() => driver.close());
  await driver.connect();
  return driver;
}

export async function newTopic(driver: KafkaDriver, partitions = 1, replication = 1): Promise<string> {
  const topic = `tail-${process.pid}-${(topics += 1)}`;
  await driver.createTopic({ topic, partitions, replication, settings: {} });
  return topic;
}

export async function write(driver: KafkaDriver, to: { topic: string; partition?: number }, ...values: string[]): Promise<void> {
  await driver.produce(
    to.topic,
    to.partition ?? 0,
    values.map((value) => ({ key: 'key', value: Buffer.from(value), headers: {} })),
  );
}

export async function adminOf(brokers: string): Promise<Admin> {
  const admin = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  onTestFinished(() => admin.disconnect());
  return admin;
}

export interface Followed {
  tail: Tail;
  /** `value@offset` as they came, of all partitions. */
  came: string[];
  records: FetchedRecord[];
  connections: boolean[];
  failures: Error[];
}

export async function follow(driver: KafkaDriver, topic: string, options: Partial<TailOptions> = {}): Promise<Followed> {
  const came: string[] = [];
  const all: FetchedRecord[] = [];
  const connections: boolean[] = [];
  const failures: Error[] = [];
  const tail = await driver.tail({
    topic,
    from: new Map([[0, 0]]),
    onBatch: (_partition, records) => {
      all.push(...records);
      came.push(...records.map(({ value, offset }) => `${Buffer.from(value!).toString()}@${offset}`));
    },
    onConnection: (up) => connections.push(up),
    onFailed: (error) => failures.push(error),
    ...options,
  });
  onTestFinished(() => tail.stop());
  return { tail, came, records: all, connections, failures };
}

export async function eventually(check: () => unknown, timeout = 15_000): Promise<void> {
  await vi.waitFor(check, { timeout, interval: 20 });
}
