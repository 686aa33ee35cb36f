// Blobs of several requests, put at the same time. 500 of them are in blob-topic.faults.test.ts.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteReplicas } from '@dreamfold/log/sqlite';
import kafkajs from 'kafkajs';
import { expect, inject, onTestFinished, test } from 'vitest';
import type { KafkaLog } from '../kafka-log.ts';
import { openKafkaLog } from '../open-kafka-log.ts';
import { runBlobs } from '../testing/blob-run.ts';

const brokers = inject('kafkaBrokers');
const SIZE = 4_300_000;

function newRoot(): string {
  const root = mkdtempSync(join(tmpdir(), 'dreamfold-blobs-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  return root;
}

// Some 3 GB go to the disk, which takes long where others use it too.
test('80 large results at once are on every node, though their writers are killed between requests', { timeout: 300_000 }, async () => {
  const storageModule = createRequire(import.meta.url).resolve('@dreamfold/log/sqlite');
  const where = { brokers, root: newRoot(), storage: sqliteReplicas, storageModule };
  const report = await runBlobs({ ...where, blobs: 40, sizeBytes: SIZE, kills: 3, seed: 1 });
  expect(report).toMatchObject({ acknowledged: 80, missingThere: 0, missingOnFresh: 0 });
  // Each process leaves what it had under way at most.
  expect(report.incomplete.puts).toBeLessThanOrEqual(3 * 8);
});

interface Place {
  open: (node: string) => Promise<KafkaLog>;
  topic: string;
}

function newPlace(): Place {
  const root = newRoot();
  const prefix = `blobs-${randomBytes(4).toString('hex')}`;
  const open = async (node: string): Promise<KafkaLog> => {
    const log = await openKafkaLog({
      url: `kafka://${brokers}/${prefix}?partitions=1`,
      directory: join(root, node),
      storage: sqliteReplicas,
    });
    onTestFinished(() => log.close());
    return log;
  };
  return { open, topic: `${prefix}.blobs` };
}

test('the same bytes put at once are sent once, and no blob is too small', async () => {
  const { open, topic } = newPlace();
  const [one, other] = [await open('a'), await open('b')];
  const bytes = Buffer.alloc(SIZE, 'same ');
  const refs = await Promise.all([...Array.from({ length: 20 }, () => one.blobs.put(bytes)), one.blobs.put(Buffer.alloc(0))]);
  expect(new Set(refs.map(({ sha256 }) => sha256)).size).toBe(2);
  for (const { sha256, size_bytes: size } of refs) expect(await other.blobs.get(sha256)).toHaveLength(size);
  const admin = new kafkajs.Kafka({ brokers: brokers.split(','), logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  const [range] = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  expect(Number(range!.high)).toBe(Math.ceil(SIZE / (512 * 1024)) + 1);
});

test('a put that somebody breaks up is sent again, until it is read back whole', async () => {
  const { open, topic } = newPlace();
  const log = await open('a');
  const kafka = new kafkajs.Kafka({ brokers: brokers.split(','), logLevel: kafkajs.logLevel.NOTHING });
  const producer = kafka.producer();
  await producer.connect();
  onTestFinished(() => producer.disconnect());
  const consumer = kafka.consumer({ groupId: topic, maxWaitTimeInMs: 10 });
  await consumer.connect();
  onTestFinished(() => consumer.disconnect());
  await consumer.subscribe({ topic, fromBeginning: true });
  const broken = new Set<string>();
  await consumer.run({
    eachMessage: async ({ message: { key, headers } }) => {
      const put = headers!['put']!.toString();
      if (broken.size === 2 || broken.has(put)) return;
      broken.add(put);
      const chunks = headers!['chunks']!;
      const last = Number(chunks) - 1;
      await producer.send({
        topic,
        acks: -1,
        messages: [{ partition: 0, key, value: 'forged', headers: { put, chunk: String(last), chunks } }],
      });
    },
  });
  // Of many requests, so that what is forged comes before the last one.
  const { sha256 } = await log.blobs.put(Buffer.alloc(12 * SIZE, 'contested '));
  expect(broken.size).toBe(2);
  expect(await (await open('fresh')).blobs.get(sha256)).toHaveLength(12 * SIZE);
});
