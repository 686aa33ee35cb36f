// The long run of worker.kafka.test.ts: 200 workers killed, 100 that hang, as many of them at once as leave somebody to go on.
import { expect, inject, onTestFinished, test } from 'vitest';
import { WorkerField } from './testing/worker-field.ts';

async function field(seed: number): Promise<WorkerField> {
  const opened = await WorkerField.open({ brokers: inject('kafkaBrokers'), workers: 4, seed, load: 16, sessionTimeoutMs: 2000 });
  onTestFinished(() => opened.close());
  await opened.load();
  return opened;
}

test('200 workers killed at seeded points', async () => {
  const opened = await field(3);
  for (let i = 0; i < 200; i += 1) {
    await opened.pause(500);
    await opened.kill();
  }
  const report = await opened.settle();
  console.log(JSON.stringify(report));
  expect(report).toMatchObject({ kills: 200, violations: [] });
});

test('100 workers that hang for longer than the group waits', async () => {
  const opened = await field(4);
  for (let i = 0; i < 50; i += 1) {
    const first = opened.zombie();
    await opened.pause(1000);
    await Promise.all([first, opened.zombie()]);
  }
  const report = await opened.settle();
  console.log(JSON.stringify(report));
  expect(report).toMatchObject({ zombies: 100, violations: [] });
  expect(report.busyZombies).toBeGreaterThan(50);
});
