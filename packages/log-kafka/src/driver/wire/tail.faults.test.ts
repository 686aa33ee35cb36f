import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { startKafka } from '../../../../../scripts/kafka/kafka-broker.ts';
import type { KafkaDriver } from '../driver.ts';
import { openDriver } from '../driver-for.ts';

const ROUNDS = 12;

async function connected(brokers: string): Promise<KafkaDriver> {
  const driver = openDriver({ brokers: brokers.split(','), clientId: 'test' });
  onTestFinished(() => driver.close());
  await driver.connect();
  return driver;
}

async function write(driver: KafkaDriver, to: { topic: string; partition: number }, value: string): Promise<void> {
  await driver.produce(to.topic, to.partition, [{ key: 'key', value: Buffer.from(value), headers: {} }]);
}

test('a batch that takes longer than a session lasts is handed over once, and the next one follows', async () => {
  const driver = await connected(inject('kafkaBrokers'));
  const topic = `slow-${process.pid}`;
  await driver.createTopic({ topic, partitions: 1, replication: 1, settings: {} });
  const came: string[] = [];
  const connections: boolean[] = [];
  await driver.tail({
    topic,
    from: new Map([[0, 0]]),
    onBatch: async (_, records) => {
      came.push(records.map(({ offset }) => offset).join());
      if (came.length === 1) await sleep(75_000);
    },
    onConnection: (up) => connections.push(up),
    onFailed: (error) => expect.unreachable(error.message),
  });
  await write(driver, { topic, partition: 0 }, 'a');
  await vi.waitFor(() => expect(came).toEqual(['0']), 10_000);
  await write(driver, { topic, partition: 0 }, 'b');
  await vi.waitFor(() => expect(came).toEqual(['0', '1']), 90_000);
  expect(connections).toEqual([]);
});

describe.skipIf(!inject('canStartKafka'))('with three brokers of its own', () => {
  test(`${ROUNDS} brokers killed in turn lose nothing that was acknowledged`, async () => {
    const kafka = await startKafka({ nodes: 3, sessionTimeoutMs: 1_000 });
    onTestFinished(() => kafka.stop());
    const driver = await connected(kafka.brokers);
    const topic = 'kept';
    const partitions = [0, 1, 2];
    await driver.createTopic({ topic, partitions: 3, replication: 3, settings: { 'min.insync.replicas': '2' } });
    const came = partitions.map(() => new Map<number, string>());
    await driver.tail({
      topic,
      from: new Map(partitions.map((partition) => [partition, 0])),
      onBatch: (partition, records) => {
        for (const { offset, value } of records) {
          const text = Buffer.from(value!).toString();
          // A repeat is the same record.
          expect(came[partition]!.get(offset) ?? text).toBe(text);
          expect(offset).toBeLessThanOrEqual(came[partition]!.size);
          came[partition]!.set(offset, text);
        }
      },
      onFailed: (error) => expect.unreachable(error.message),
    });
    const acknowledged = partitions.map((): string[] => []);
    const done = new AbortController();
    const writers = partitions.map(async (partition) => {
      for (let index = 0; !done.signal.aborted; index += 1) {
        await write(driver, { topic, partition }, String(index)).then(
          () => acknowledged[partition]!.push(String(index)),
          () => {},
        );
        await sleep(1);
      }
    });
    for (let round = 0; round < ROUNDS; round += 1) {
      await sleep(1_000);
      const node = kafka.node(1 + (round % 3));
      await node.kill(round % 2 === 0 ? 'SIGKILL' : 'SIGTERM');
      await sleep(2_000);
      await node.start();
      const before = acknowledged.map((own) => own.length);
      await vi.waitFor(() => expect(acknowledged.every((own, partition) => own.length > before[partition]! + 100)).toBe(true), 60_000);
    }
    done.abort();
    await Promise.all(writers);
    await vi.waitFor(() => {
      for (const partition of partitions) {
        const values = new Set(came[partition]!.values());
        expect(acknowledged[partition]!.filter((value) => !values.has(value))).toEqual([]);
      }
    }, 60_000);
  });
});
