import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { startKafka } from '../../../../../scripts/kafka/kafka-broker.ts';
import { ProduceError } from '../driver.ts';
import { connected, eventually, follow, newTopic, write } from '../testing/followed-topic.ts';

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
