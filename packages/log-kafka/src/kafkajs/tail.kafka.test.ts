import { Kafka, logLevel, type Admin } from 'kafkajs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { startKafka } from '../../../../scripts/kafka/kafka-broker.ts';
import { ProduceError, type FetchedRecord, type KafkaDriver, type Tail, type TailOptions } from '../driver.ts';
import { openKafkajsDriver } from './kafkajs-driver.ts';

let topics = 0;

async function connected(brokers = inject('kafkaBrokers')): Promise<KafkaDriver> {
  const driver = openKafkajsDriver({ brokers: brokers.split(','), clientId: 'test' });
  onTestFinished(() => driver.close());
  await driver.connect();
  return driver;
}

async function newTopic(driver: KafkaDriver, partitions = 1, replication = 1): Promise<string> {
  const topic = `tail-${process.pid}-${(topics += 1)}`;
  await driver.createTopic({ topic, partitions, replication, settings: {} });
  return topic;
}

async function write(driver: KafkaDriver, to: { topic: string; partition?: number }, ...values: string[]): Promise<void> {
  await driver.produce(
    to.topic,
    to.partition ?? 0,
    values.map((value) => ({ key: 'key', value: Buffer.from(value), headers: {} })),
  );
}

async function adminOf(brokers: string): Promise<Admin> {
  const admin = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  onTestFinished(() => admin.disconnect());
  return admin;
}

interface Followed {
  tail: Tail;
  /** `value@offset` as they came, of all partitions. */
  came: string[];
  records: FetchedRecord[];
  connections: boolean[];
  failures: Error[];
}

async function follow(driver: KafkaDriver, topic: string, options: Partial<TailOptions> = {}): Promise<Followed> {
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

async function eventually(check: () => void, timeout = 15_000): Promise<void> {
  await vi.waitFor(check, { timeout, interval: 20 });
}

describe('a tail', () => {
  test('begins where it is told in each partition, and leaves the others alone', async () => {
    const driver = await connected();
    const topic = await newTopic(driver, 3);
    for (const partition of [0, 1, 2]) await write(driver, { topic, partition }, `${partition}a`, `${partition}b`, `${partition}c`);
    const { came } = await follow(driver, topic, { from: new Map([[0, 2], [2, 3]]) }); // prettier-ignore
    for (const partition of [0, 1, 2]) await write(driver, { topic, partition }, `${partition}d`);
    await eventually(() => expect(came.toSorted()).toEqual(['0c@2', '0d@3', '2d@3']));
    await sleep(300);
    expect(came).toHaveLength(3);
  });

  test('goes on where it is sent, without what was fetched before', async () => {
    const driver = await connected();
    const topic = await newTopic(driver, 1);
    await write(driver, { topic }, 'a', 'b', 'c');
    const held = Promise.withResolvers<void>();
    const came: string[] = [];
    const { tail } = await follow(driver, topic, {
      onBatch: async (_, records) => {
        came.push(records.map(({ offset }) => offset).join());
        if (came.length === 1) await held.promise;
      },
    });
    await eventually(() => expect(came).toEqual(['0,1,2']));
    await write(driver, { topic }, 'd');
    tail.seek(0, 1);
    held.resolve();
    await eventually(() => expect(came.slice(1).join()).toBe('1,2,3'));
    tail.seek(0, 3);
    await eventually(() => expect(came.at(-1)).toBe('3'));
    tail.seek(7, 0);
  });

  test('hands over one batch of a partition at a time, while others go on', async () => {
    const driver = await connected();
    const topic = await newTopic(driver, 2);
    const running = new Map<number, number>();
    const offsets: number[] = [];
    await follow(driver, topic, {
      from: new Map([[0, 0], [1, 0]]), // prettier-ignore
      onBatch: async (partition, records) => {
        expect(running.get(partition) ?? 0).toBe(0);
        running.set(partition, 1);
        await sleep(partition === 0 ? 5 : 0);
        if (partition === 0) offsets.push(...records.map(({ offset }) => offset));
        running.set(partition, 0);
      },
    });
    for (let index = 0; index < 50; index += 1) {
      await Promise.all([0, 1].map((partition) => write(driver, { topic, partition }, `${index}`)));
    }
    await eventually(() => expect(offsets).toEqual(Array.from({ length: 50 }, (_, index) => index)));
  });

  test('ends with the error of who it hands over to', async () => {
    const driver = await connected();
    const topic = await newTopic(driver);
    let calls = 0;
    const { failures } = await follow(driver, topic, {
      onBatch: () => {
        calls += 1;
        throw new RangeError('too far');
      },
    });
    await write(driver, { topic }, 'a');
    await eventually(() => expect(failures).toEqual([new RangeError('too far')]));
    await write(driver, { topic }, 'b');
    await sleep(500);
    expect(calls).toBe(1);
  });

  test('leaves no group behind, and stops at once', async () => {
    const driver = await connected();
    const topic = await newTopic(driver, 1);
    const admin = await adminOf(inject('kafkaBrokers'));
    const groups = async (): Promise<string[]> => {
      const mine = (await admin.listGroups()).groups.map(({ groupId }) => groupId).filter((id) => id.startsWith('dreamfold-tail-'));
      const { groups } = await admin.describeGroups(mine);
      return groups
        .filter(({ members }) => members.some(({ memberAssignment }) => memberAssignment.includes(topic)))
        .map(({ groupId }) => groupId);
    };
    const { tail } = await follow(driver, topic);
    const [group] = await groups();
    expect(group).toMatch(/^dreamfold-tail-/);
    const stopping = performance.now();
    await tail.stop();
    expect(performance.now() - stopping).toBeLessThan(1_000);
    expect((await admin.listGroups()).groups.map(({ groupId }) => groupId)).not.toContain(group);
  });
});

describe('what is taken from under a tail shows as an offset that does not follow', () => {
  test('when records are deleted', async () => {
    const driver = await connected();
    const topic = await newTopic(driver);
    const admin = await adminOf(inject('kafkaBrokers'));
    await write(driver, { topic }, 'a', 'b', 'c', 'd');
    const { came, tail } = await follow(driver, topic, { from: new Map([[0, 4]]) });
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '3' }] });
    tail.seek(0, 1);
    await eventually(() => expect(came).toEqual(['d@3']));
    await write(driver, { topic }, 'e');
    await eventually(() => expect(came).toEqual(['d@3', 'e@4']));
  });

  test('when the topic is made anew', async () => {
    const driver = await connected();
    const topic = await newTopic(driver);
    const admin = await adminOf(inject('kafkaBrokers'));
    await write(driver, { topic }, 'a', 'b', 'c');
    const { came, failures, connections } = await follow(driver, topic);
    await eventually(() => expect(came).toHaveLength(3));
    await admin.deleteTopics({ topics: [topic] });
    await sleep(1_500);
    await driver.createTopic({ topic, partitions: 1, replication: 1, settings: {} });
    await write(driver, { topic }, 'x');
    await eventually(() => expect(came.slice(3)).toEqual(['x@0']), 30_000);
    await write(driver, { topic }, 'y');
    await eventually(() => expect(came.slice(3)).toEqual(['x@0', 'y@1']));
    expect(failures).toEqual([]);
    expect(connections).toEqual([false, true]);
  });

  test('and a topic that was never there is an error', async () => {
    const driver = openKafkajsDriver({ brokers: inject('kafkaBrokers').split(','), clientId: 'test', connectTimeoutMs: 1_000 });
    onTestFinished(() => driver.close());
    await expect(follow(driver, 'tail-missing')).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringMatching(/following tail-missing.*UNKNOWN_TOPIC_OR_PARTITION/),
    });
  });
});

describe.skipIf(!inject('canStartKafka'))('with a broker of its own', () => {
  test('kill -9 and a restart lose nothing that was acknowledged, and neither tail nor producer need help', async () => {
    const kafka = await startKafka({ sessionTimeoutMs: 1_000 });
    onTestFinished(() => kafka.stop());
    const driver = await connected(kafka.brokers);
    const topic = await newTopic(driver, 2);
    const from = new Map([[0, 0], [1, 0]]); // prettier-ignore
    const { came, connections, failures } = await follow(driver, topic, { from });
    const acknowledged: string[] = [];
    const failed: ProduceError[] = [];
    const done = new AbortController();
    const writers = [0, 1].map(async (partition) => {
      for (let index = 0; !done.signal.aborted; index += 1) {
        const value = `${partition}-${index}`;
        await write(driver, { topic, partition }, value).then(
          () => acknowledged.push(value),
          (error: unknown) => failed.push(error as ProduceError),
        );
        await sleep(2);
      }
    });
    for (let round = 1; round <= 2; round += 1) {
      await sleep(500);
      await kafka.node(1).kill();
      await sleep(1_000);
      await kafka.node(1).start();
      const before = acknowledged.length;
      await eventually(() => expect(acknowledged.length).toBeGreaterThan(before + 100), 30_000);
      await eventually(() => expect(connections).toHaveLength(2 * round), 30_000);
    }
    done.abort();
    await Promise.all(writers);
    await eventually(() => {
      const values = new Set(came.map((entry) => entry.split('@')[0]!));
      expect(acknowledged.filter((value) => !values.has(value))).toEqual([]);
    }, 30_000);
    expect(failed.length).toBeGreaterThan(0);
    expect(failed.every((error) => error instanceof ProduceError)).toBe(true);
    // While it is away nothing can have been written.
    expect(failed.filter(({ written }) => written === 'no').length).toBeGreaterThan(0);
    expect(connections).toEqual([false, true, false, true]);
    expect(failures).toEqual([]);
    for (const partition of [0, 1]) {
      const offsets = came.filter((entry) => entry.startsWith(`${partition}-`)).map((entry) => Number(entry.split('@')[1]));
      expect([...new Set(offsets)]).toEqual(Array.from({ length: new Set(offsets).size }, (_, index) => index));
    }
  });

  test('a broker that hangs is noticed, and holds nobody up who wants to stop', async () => {
    const kafka = await startKafka({});
    onTestFinished(() => kafka.stop());
    const driver = await connected(kafka.brokers);
    const topic = await newTopic(driver);
    const { tail, connections } = await follow(driver, topic);
    await write(driver, { topic }, 'before');
    kafka.node(1).suspend();
    const produced = write(driver, { topic }, 'a').catch((error: unknown) => error);
    await eventually(() => expect(connections).toEqual([false]), 20_000);
    expect(await produced).toMatchObject({ name: 'ProduceError', written: 'unknown' });
    const stopping = performance.now();
    await tail.stop();
    expect(performance.now() - stopping).toBeLessThan(1_000);
    kafka.node(1).resume();
    await vi.waitFor(async () => await write(driver, { topic }, 'b'), { timeout: 20_000, interval: 100 });
  });

  test('of three brokers one can go: what leads its partitions is found again', async () => {
    const kafka = await startKafka({ nodes: 3, sessionTimeoutMs: 1_000 });
    onTestFinished(() => kafka.stop());
    const driver = await connected(kafka.brokers);
    const topic = await newTopic(driver, 3, 3);
    const { came, records } = await follow(driver, topic, { from: new Map([[0, 0], [1, 0], [2, 0]]) }); // prettier-ignore
    const acknowledged: string[] = [];
    const writeAll = async (round: string): Promise<void> => {
      for (const partition of [0, 1, 2]) {
        const value = `${round}-${partition}`;
        await vi.waitFor(async () => await write(driver, { topic, partition }, value), { timeout: 30_000, interval: 50 });
        acknowledged.push(value);
      }
    };
    await writeAll('before');
    await kafka.node(2).kill();
    await writeAll('without');
    await kafka.node(2).start();
    await writeAll('after');
    await eventually(() => expect(came.map((entry) => entry.split('@')[0])).toEqual(expect.arrayContaining(acknowledged)), 40_000);
    expect(Math.max(...records.map(({ term }) => term))).toBeGreaterThan(0);
  });
});
