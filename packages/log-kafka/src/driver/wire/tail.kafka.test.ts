import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { openDriver } from '../driver-for.ts';
import { adminOf, connected, eventually, follow, newTopic, write } from '../testing/followed-topic.ts';

describe('a tail', () => {
  test('begins where it is told in each partition, and leaves the others alone', async () => {
    const driver = await connected(inject('kafkaBrokers'));
    const topic = await newTopic(driver, 3);
    for (const partition of [0, 1, 2]) await write(driver, { topic, partition }, `${partition}a`, `${partition}b`, `${partition}c`);
    const { came } = await follow(driver, topic, { from: new Map([[0, 2], [2, 3]]) }); // prettier-ignore
    for (const partition of [0, 1, 2]) await write(driver, { topic, partition }, `${partition}d`);
    await eventually(() => expect(came.toSorted()).toEqual(['0c@2', '0d@3', '2d@3']));
    await sleep(300);
    expect(came).toHaveLength(3);
  });

  test('goes on where it is sent, without what was fetched before', async () => {
    const driver = await connected(inject('kafkaBrokers'));
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
    const driver = await connected(inject('kafkaBrokers'));
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
    const driver = await connected(inject('kafkaBrokers'));
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

  test('joins no group, and stops at once', async () => {
    const driver = await connected(inject('kafkaBrokers'));
    const topic = await newTopic(driver, 1);
    const admin = await adminOf(inject('kafkaBrokers'));
    const groups = async (): Promise<string[]> => (await admin.listGroups()).groups.map(({ groupId }) => groupId).toSorted();
    const before = await groups();
    const { tail } = await follow(driver, topic);
    expect(await groups()).toEqual(before);
    const stopping = performance.now();
    await tail.stop();
    expect(performance.now() - stopping).toBeLessThan(100);
  });

  test('is opened also when who it hands over to waits for that', async () => {
    const driver = await connected(inject('kafkaBrokers'));
    const topic = await newTopic(driver, 3);
    for (const partition of [0, 1, 2]) await write(driver, { topic, partition }, `${partition}`);
    const opened = Promise.withResolvers<void>();
    const came: number[] = [];
    await follow(driver, topic, {
      from: new Map([[0, 0], [1, 0], [2, 0]]), // prettier-ignore
      onBatch: async (partition) => {
        await opened.promise;
        came.push(partition);
      },
    });
    opened.resolve();
    await eventually(() => expect(came.toSorted((a, b) => a - b)).toEqual([0, 1, 2]));
  });

  test('goes on after a batch that is as large as a topic takes, beside one that is always busy', async () => {
    const driver = await connected(inject('kafkaBrokers'));
    const topic = `large-${process.pid}`;
    await driver.createTopic({ topic, partitions: 3, replication: 1, settings: { 'max.message.bytes': '8388608' } });
    const large = (): Uint8Array => new Uint8Array(8_380_000);
    for (const partition of [0, 1, 2]) {
      for (let i = 0; i < 2; i += 1) await driver.produce(topic, partition, [{ key: 'k', value: large(), headers: {} }]);
      await write(driver, { topic, partition }, 'end');
    }
    const counts = [0, 0, 0];
    await follow(driver, topic, {
      from: new Map([[0, 0], [1, 0], [2, 0]]), // prettier-ignore
      onBatch: (partition, records) => void (counts[partition]! += records.length),
    });
    await eventually(() => expect(counts).toEqual([3, 3, 3]));
  });

  test('waits for who is busy: what it has fetched meanwhile is bounded', async () => {
    const driver = await connected(inject('kafkaBrokers'));
    const topic = await newTopic(driver);
    const batch = Array.from({ length: 900 }, () => ({ key: 'k', value: new Uint8Array(1_000), headers: {} }));
    for (let i = 0; i < 60; i += 1) await driver.produce(topic, 0, batch);
    const held = Promise.withResolvers<void>();
    const offsets: number[] = [];
    const before = process.memoryUsage().arrayBuffers;
    await follow(driver, topic, {
      onBatch: async (_, records) => {
        offsets.push(...records.map(({ offset }) => offset));
        await held.promise;
      },
    });
    await eventually(() => expect(offsets.length).toBeGreaterThan(0));
    await sleep(1_500);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024);
    held.resolve();
    await eventually(() => expect(offsets).toEqual(Array.from({ length: 54_000 }, (_, index) => index)));
  });
});

describe('what is taken from under a tail shows as an offset that does not follow', () => {
  test('when records are deleted', async () => {
    const driver = await connected(inject('kafkaBrokers'));
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
    const driver = await connected(inject('kafkaBrokers'));
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

  test('when the topic is made anew, and filled as far at once', async () => {
    const driver = await connected(inject('kafkaBrokers'));
    const topic = await newTopic(driver);
    const admin = await adminOf(inject('kafkaBrokers'));
    await write(driver, { topic }, 'a', 'b', 'c');
    const { came, failures } = await follow(driver, topic);
    await eventually(() => expect(came).toHaveLength(3));
    await admin.deleteTopics({ topics: [topic] });
    await driver.createTopic({ topic, partitions: 1, replication: 1, settings: {} });
    await eventually(async () => await write(driver, { topic }, 'x', 'y', 'z'));
    await eventually(() => expect(came.slice(3).at(-1)).toBe('z@2'), 30_000);
    expect(failures).toEqual([]);
  });

  test('and a topic that was never there is an error', async () => {
    const driver = openDriver({ brokers: inject('kafkaBrokers').split(','), clientId: 'test', connectTimeoutMs: 1_000 });
    onTestFinished(() => driver.close());
    await expect(follow(driver, 'tail-missing')).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringMatching(/following tail-missing.*UNKNOWN_TOPIC_OR_PARTITION/),
    });
  });
});
