// Workers and brokers that come and go all at once: somebody gets something done all the time.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { startKafka } from '../../../scripts/kafka/kafka-broker.ts';
import { WorkerField } from './testing/worker-field.ts';

const SESSION_TIMEOUT_MS = 6_000;
const STORM_MS = 120_000;

test('a worker is killed each 2.4 seconds, another hangs, and the only broker goes each 18 seconds: some session is done all the time', async () => {
  const cluster = await startKafka();
  onTestFinished(() => cluster.stop({ wipe: true }));
  const opened = await WorkerField.open({
    ...{ brokers: cluster.brokers, workers: 4, seed: 5, load: 0, sessionTimeoutMs: SESSION_TIMEOUT_MS },
  });
  onTestFinished(() => opened.close());
  const until = performance.now() + STORM_MS;
  const again = async (everyMs: number, what: () => Promise<void>): Promise<void> => {
    for (let next = performance.now() + everyMs; next < until; next += everyMs) {
      await sleep(Math.max(0, next - performance.now()));
      await what();
    }
  };
  const broker = cluster.node(1);
  await Promise.all([
    opened.submitEvery(300, { ms: STORM_MS }),
    again(2_400, () => opened.kill()),
    again(10_000, () => opened.zombie()),
    again(18_000, async () => {
      await broker.kill();
      await broker.start();
    }),
  ]);
  const report = await opened.settle(120_000);
  console.log(JSON.stringify(report));
  expect(report.violations).toEqual([]);
  expect(report.longestGapMs).toBeLessThanOrEqual(2 * SESSION_TIMEOUT_MS);
});
