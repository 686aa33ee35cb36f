// A worker that dies again and again beside two sound ones, with a real broker. The long runs are in crash-loop.faults.test.ts.
import { expect, inject, onTestFinished, test } from 'vitest';
import { WorkerField } from './testing/worker-field.ts';

test('a worker that is killed every two seconds and started again at once keeps nobody waiting', async () => {
  const opened = await WorkerField.open({ brokers: inject('kafkaBrokers'), workers: 2, seed: 4, load: 0, sessionTimeoutMs: 6_000 });
  onTestFinished(() => opened.close());
  const end = opened.crashLoop(2_000);
  await opened.submitEvery(200, { ms: 20_000 });
  await end();
  const report = await opened.settle();
  console.log(JSON.stringify(report));
  expect(report.violations).toEqual([]);
  expect(report.kills).toBeGreaterThan(4);
  // Without room for others' load: what waits for a dead worker's time-out waits longer than that.
  expect(report.p90Ms).toBeLessThan(5_000);
});
