// Processes that write to one stream against each other. More of the hung ones are in rivals.faults.test.ts.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteReplicas } from '@dreamfold/log/sqlite';
import { expect, inject, onTestFinished, test } from 'vitest';
import type { KafkaLog } from '../kafka-log.ts';
import { openKafkaLog } from '../open-kafka-log.ts';
import { compareNodes } from '../testing/agreement.ts';
import { NodeProcess } from '../testing/node-process.ts';
import { outlive } from '../testing/zombie.ts';

const STREAM = 'session/contested';
const APPENDS = 60;

/** A log of its own, with nodes that each have their directory. */
function newLog(): { open: (node: string) => Promise<KafkaLog>; start: (node: string) => NodeProcess } {
  const root = mkdtempSync(join(tmpdir(), 'dreamfold-rivals-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const url = `kafka://${inject('kafkaBrokers')}/rivals-${randomBytes(4).toString('hex')}?partitions=2`;
  const storage = createRequire(import.meta.url).resolve('@dreamfold/log/sqlite');
  return {
    open: async (node) => {
      const log = await openKafkaLog({ url, directory: join(root, node), storage: sqliteReplicas });
      onTestFinished(() => log.close());
      return log;
    },
    start: (node) => {
      const process = new NodeProcess({ url, directory: join(root, node), storage });
      onTestFinished(() => process.kill());
      return process;
    },
  };
}

test('of three processes that race for each head of a stream one wins it, and all agree who', async () => {
  const { open, start } = newLog();
  const names = ['a', 'b', 'c'];
  const nodes = names.map(start);
  await Promise.all(nodes.map((node) => node.next('open')));
  nodes.forEach((node, i) => node.send({ do: 'race', stream: STREAM, name: names[i]!, appends: APPENDS }));
  const raced = await Promise.all(nodes.map((node) => node.next('raced')));
  await Promise.all(nodes.map((node) => node.stop()));
  // Each seq was won once, and who lost it was told so.
  expect(raced.flatMap(({ seqs }) => seqs).sort((a, b) => a - b)).toEqual(Array.from({ length: 3 * APPENDS }, (_, i) => i + 1));
  expect(Math.min(...raced.map(({ conflicts }) => conflicts))).toBeGreaterThan(0);
  const logs = await Promise.all([...names, 'rebuilt'].map(open));
  for (const log of logs) {
    const texts: unknown[] = [];
    for await (const events of log.read(STREAM)) texts.push(...events.map(({ id }) => id));
    const won = raced.flatMap(({ seqs }, i) => seqs.map((seq, k) => [seq, `${names[i]}.${k}`] as const));
    expect(texts).toEqual(won.sort(([a], [b]) => a - b).map(([, id]) => id));
  }
  expect(await compareNodes(logs)).toMatchObject({ differences: [], problems: [] });
});

test('what an owner writes after it hung, and another took its stream over, is fenced', async () => {
  const { open, start } = newLog();
  const log = await open('here');
  const owner = start('owner');
  await owner.next('open');
  for (let round = 1; round <= 5; round += 1) {
    const zombie = await outlive(log, owner, { stream: `session/zombie_${round}`, aliveMs: 7 * round, heldMs: 200 });
    expect(zombie).toEqual({ code: 'fenced', onNewestHead: ['fenced', 'fenced', 'fenced'], lost: [], late: [] });
  }
  await owner.stop();
  const logs = [log, await open('owner'), await open('rebuilt')];
  expect(await compareNodes(logs)).toMatchObject({ differences: [], problems: [] });
});
