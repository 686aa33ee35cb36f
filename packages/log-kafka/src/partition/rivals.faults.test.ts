// An owner that hangs, many times, and once for longer than brokers wait for a reader. A few of the same are in rivals.kafka.test.ts.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteReplicas } from '@dreamfold/log/sqlite';
import { expect, inject, onTestFinished, test } from 'vitest';
import { openKafkaLog } from '../open-kafka-log.ts';
import { compareNodes } from '../testing/agreement.ts';
import { NodeProcess } from '../testing/node-process.ts';
import { outlive } from '../testing/zombie.ts';
import { seeded } from '@dreamfold/core/testing';

const ROUNDS = 100;
/** The group of a reader gives it up after 60 s. */
const LONG_MS = 70_000;
const FENCED = { code: 'fenced', onNewestHead: ['fenced', 'fenced', 'fenced'], lost: [], late: [] };

test(`what an owner writes after it hung is fenced, ${ROUNDS} times`, async () => {
  const root = mkdtempSync(join(tmpdir(), 'dreamfold-rivals-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const url = `kafka://${inject('kafkaBrokers')}/rivals-${randomBytes(4).toString('hex')}?partitions=2`;
  const open = (node: string) => openKafkaLog({ url, directory: join(root, node), storage: sqliteReplicas });
  const log = await open('here');
  onTestFinished(() => log.close());
  const storage = createRequire(import.meta.url).resolve('@dreamfold/log/sqlite');
  const owner = new NodeProcess({ url, directory: join(root, 'owner'), storage });
  onTestFinished(() => owner.kill());
  await owner.next('open');
  const random = seeded(7);
  for (let round = 1; round <= ROUNDS; round += 1) {
    const heldMs = round === ROUNDS ? LONG_MS : random() * 500;
    expect(await outlive(log, owner, { stream: `session/zombie_${round}`, aliveMs: random() * 50, heldMs })).toEqual(FENCED);
  }
  await owner.stop();
  const logs = [log, await open('owner'), await open('rebuilt')];
  onTestFinished(async () => void (await Promise.all(logs.map((one) => one.close()))));
  const report = await compareNodes(logs);
  console.log(`${ROUNDS} owners held and outlived; late events that count: 0; ${report.events} events in ${report.streams} streams`);
  expect(report).toMatchObject({ differences: [], problems: [] });
});
