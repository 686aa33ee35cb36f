// One worker that dies again and again, and a storm in which all do. A short form of the first is crash-loop.kafka.test.ts.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startKafka } from '../../../scripts/kafka/kafka-broker.ts';
import { WorkerField, type FieldOptions } from './testing/worker-field.ts';

async function field(options: Partial<FieldOptions>): Promise<WorkerField> {
  const opened = await WorkerField.open({
    brokers: inject('kafkaBrokers'),
    workers: 2,
    seed: 5,
    load: 0,
    sessionTimeoutMs: 10_000,
    ...options,
  });
  onTestFinished(() => opened.close());
  return opened;
}

test('one worker is killed every three seconds: the two others do what is asked as if it were not there', async () => {
  const opened = await field({});
  await sleep(6_000);
  const end = opened.crashLoop(3_000);
  await opened.submitEvery(200, { count: 200 });
  await end();
  const report = await opened.settle();
  console.log(JSON.stringify(report));
  expect(report.violations).toEqual([]);
  expect(report.p90Ms).toBeLessThanOrEqual(2_000);
  expect(report.slowestMs).toBeLessThanOrEqual(15_000);
});

test.runIf(inject('canStartKafka'))(
  'a worker is killed every 2.4 seconds, another hangs, brokers come and go: some session is done all the time',
  async () => {
    const STORM_MS = 120_000;
    const cluster = await startKafka();
    onTestFinished(() => cluster.stop());
    const opened = await field({ brokers: cluster.brokers, workers: 4, sessionTimeoutMs: 6_000 });
    const until = performance.now() + STORM_MS;
    const isOver = (): boolean => performance.now() > until;
    const kills = async (): Promise<void> => {
      while (!isOver()) {
        await opened.pause(4_800);
        await opened.kill();
      }
    };
    const hangs = async (): Promise<void> => {
      while (!isOver()) {
        await sleep(1_500);
        await opened.zombie();
      }
    };
    const brokers = async (): Promise<void> => {
      while (!isOver()) {
        await sleep(18_000);
        await cluster.node(1).kill();
        await cluster.node(1).start();
      }
    };
    await Promise.all([kills(), hangs(), brokers(), opened.submitEvery(200, { ms: STORM_MS })]);
    const report = await opened.settle(120_000);
    console.log(JSON.stringify(report));
    expect(report.violations).toEqual([]);
    expect(report.longestGapMs).toBeLessThanOrEqual(12_000);
  },
);
