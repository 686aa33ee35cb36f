// One worker that dies again and again beside two sound ones. A short form is crash-loop.kafka.test.ts.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, onTestFinished, test } from 'vitest';
import { WorkerField } from './testing/worker-field.ts';

test('one worker is killed every three seconds: the two others do what is asked as if it were not there', async () => {
  const opened = await WorkerField.open({ brokers: inject('kafkaBrokers'), workers: 2, seed: 5, load: 0, sessionTimeoutMs: 10_000 });
  onTestFinished(() => opened.close());
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
