// Workers that are killed and workers that hang, with a real broker. The long run is worker.faults.test.ts.
import { expect, inject, onTestFinished, test } from 'vitest';
import { startKafka } from '../../../scripts/kafka/kafka-broker.ts';
import { WorkerField } from './testing/worker-field.ts';

async function field(seed: number, brokers = inject('kafkaBrokers')): Promise<WorkerField> {
  const opened = await WorkerField.open({ brokers, workers: 3, seed, load: 12, sessionTimeoutMs: 2000 });
  onTestFinished(() => opened.close());
  await opened.load();
  return opened;
}

test('five workers killed at seeded points: every session is done, no effect twice, all replicas alike', async () => {
  const opened = await field(1);
  for (let i = 0; i < 5; i += 1) {
    await opened.pause(400);
    await opened.kill();
  }
  const report = await opened.settle();
  console.log(JSON.stringify(report));
  expect(report).toMatchObject({ kills: 5, violations: [] });
});

test('three workers that hang for longer than the group waits: what they write late counts for nothing', async () => {
  const opened = await field(2);
  for (let i = 0; i < 3; i += 1) {
    await opened.pause(400);
    await opened.zombie();
  }
  const report = await opened.settle();
  console.log(JSON.stringify(report));
  expect(report).toMatchObject({ zombies: 3, violations: [] });
  expect(report.busyZombies).toBeGreaterThan(0);
  expect(report.lost).toBeGreaterThan(0);
});

test.runIf(inject('canStartKafka'))('a broker that is killed and comes back: the workers wait for it, and go on', async () => {
  const cluster = await startKafka();
  onTestFinished(() => cluster.stop());
  const opened = await field(3, cluster.brokers);
  for (let i = 0; i < 2; i += 1) {
    await opened.pause(1000);
    await cluster.node(1).kill();
    await cluster.node(1).start();
  }
  const report = await opened.settle();
  console.log(JSON.stringify(report));
  expect(report).toMatchObject({ kills: 0, violations: [] });
});
