// Workers that are killed and workers that hang, with a real broker. The long run is worker.faults.test.ts.
import { expect, inject, onTestFinished, test } from 'vitest';
import { startKafka } from '../../../scripts/kafka/kafka-broker.ts';
import { DESK, Workspace } from './testing/dreamfold-process.ts';
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

test.runIf(inject('canStartKafka'))(
  'a worker that is started before its broker waits for it, and takes what is submitted then',
  async () => {
    const cluster = await startKafka();
    onTestFinished(() => cluster.stop());
    await cluster.node(1).kill();
    const workspace = new Workspace();
    onTestFinished(() => workspace.remove());
    workspace.file('desk.ts', DESK);
    const log = ['--log', `kafka://${cluster.brokers}/late`];
    const worker = workspace.start(['worker', 'desk.ts', ...log, '--data', 'worker']);
    await worker.noted(/It is tried again until a broker answers/);
    await cluster.node(1).start();
    await worker.noted(/Waiting for sessions/);
    expect(await workspace.run('run', 'desk.ts', '@script [{"say":"Hello."}]', '--detach', ...log, '--data', 'here')).toMatchObject({
      code: 0,
    });
    await worker.noted(/end_turn/);
    worker.kill('SIGTERM');
    expect((await worker.ended).code).toBe(0);
  },
);
