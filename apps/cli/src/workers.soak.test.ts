// What happens to a log on Kafka in production, one thing after the other, for an hour or for SOAK_MINUTES: `pnpm test:soak`.
// As root. The report goes to the file SOAK_REPORT too, as JSON.
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { SoakCluster } from '../../../scripts/kafka/soak-cluster.ts';
import { WorkerField } from './testing/worker-field.ts';

const MINUTES = Number(process.env['SOAK_MINUTES'] ?? 60);
/** Each part of the run takes so long, and so long a fault lasts. */
const PART_MS = 60_000;
const FAULT_MS = 20_000;
const ASKED_EACH_MS = 500;
/** The worker whose network is cut; as many workers as two cores bear beside three brokers. */
const [WORKERS, REMOTE] = [3, 2];

test(`${MINUTES} minutes of restarts, crashes, rights, passwords and cuts lose nothing, and all replicas are alike`, async () => {
  const cluster = await SoakCluster.open();
  onTestFinished(() => cluster.close());
  const { brokers, ca, username, password } = cluster.kafka;
  const prefix = `soak-${process.pid}`;
  await cluster.grant(prefix);
  const field = await WorkerField.open({
    ...{ brokers, prefix, workers: WORKERS, seed: 7, load: 0, sessionTimeoutMs: 10_000 },
    access: { login: `${username}:${password}@`, query: `&ca=${encodeURIComponent(ca)}` },
    env: () => cluster.env,
    within: (worker) => (worker === REMOTE ? cluster.within : []),
  });
  onTestFinished(() => field.close());

  const parts: Record<string, () => Promise<void>> = {
    calm: async () => {},
    'brokers are restarted in turn, one of them by kill -9': async () => {
      for (const id of [1, 2, 3]) {
        await (id === 2 ? cluster.kafka.node(id).kill() : cluster.kafka.node(id).stop());
        await cluster.kafka.node(id).start();
      }
    },
    'a broker hangs, and is cut off so from clients and brokers': async () => {
      cluster.kafka.node(2).suspend();
      await sleep(FAULT_MS);
      cluster.kafka.node(2).resume();
    },
    'one more worker is killed every three seconds': async () => {
      const end = field.crashLoop(3_000);
      await sleep(FAULT_MS);
      await end();
    },
    'workers may write no events': async () => {
      await cluster.revoke(prefix);
      await sleep(FAULT_MS);
      await cluster.grant(prefix);
    },
    'the password is changed, and workers are started again in turn': async () => {
      await cluster.changePassword();
      for (let worker = 0; worker < WORKERS; worker += 1) await field.restart(worker);
    },
    'the network of a worker is cut': async () => {
      cluster.cut();
      await sleep(FAULT_MS);
      cluster.heal();
    },
  };
  const until = performance.now() + MINUTES * 60_000;
  const asking = field.submitEvery(ASKED_EACH_MS, { ms: MINUTES * 60_000 });
  for (let i = 0; performance.now() < until; i += 1) {
    const [name, fault] = Object.entries(parts)[i % Object.keys(parts).length]!;
    console.log(`${Math.ceil((until - performance.now()) / 60_000)} minutes left: ${name}`);
    field.phases.begin(name);
    const next = performance.now() + PART_MS;
    await fault();
    await sleep(Math.max(0, Math.min(next, until) - performance.now()));
  }
  await asking;
  const report = await field.settle(300_000);
  const phases = field.phases.report;
  console.log(JSON.stringify(report, null, 2));
  for (const phase of phases) console.log(JSON.stringify(phase));
  const file = process.env['SOAK_REPORT'];
  if (file !== undefined) writeFileSync(file, `${JSON.stringify({ minutes: MINUTES, ...report, phases }, null, 2)}\n`);
  expect(report.violations).toEqual([]);
});
