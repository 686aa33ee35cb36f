// What an operator has done to a log, and what looking at it says.
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Finding } from '@dreamfold/log';
import { sqliteReplicas } from '@dreamfold/log/sqlite';
import kafkajs from 'kafkajs';
import { expect, inject, onTestFinished, test } from 'vitest';
import { openKafkaLog } from '../open-kafka-log.ts';
import { examineKafkaLog } from './examine-kafka-log.ts';

const brokers = inject('kafkaBrokers');

test('says what is well, what was set aside or left half, and what is wrong, and makes nothing', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'dreamfold-doctor-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const prefix = `doctor-${randomBytes(4).toString('hex')}`;
  const url = `kafka://${brokers}/${prefix}?partitions=2`;
  const examine = async (): Promise<Finding[]> => examineKafkaLog({ url, directory, storage: sqliteReplicas });
  const filesIn = (): string[] => readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
  const kafka = new kafkajs.Kafka({ brokers: brokers.split(','), logLevel: kafkajs.logLevel.NOTHING });
  const [admin, producer] = [kafka.admin(), kafka.producer()];
  await Promise.all([admin.connect(), producer.connect()]);
  onTestFinished(async () => void (await Promise.all([admin.disconnect(), producer.disconnect()])));
  const send = (topic: string, key: string, headers: Record<string, string>): Promise<unknown> =>
    producer.send({ topic: `${prefix}.${topic}`, acks: -1, messages: [{ partition: 0, key, value: 'x', headers }] });

  expect((await examine()).filter(({ state }) => state === 'wrong').map(({ about }) => about)).toEqual(
    ['events', 'keys', 'blobs', 'work'].map((name) => `${prefix}.${name}`),
  );
  expect(await admin.listTopics()).not.toContain(`${prefix}.events`);
  expect(filesIn()).toEqual([]);

  const log = await openKafkaLog({ url, directory, storage: sqliteReplicas });
  onTestFinished(() => log.close());
  await send('events', 'stranger', {});
  await send('blobs', 'a'.repeat(64), { put: 'left', chunk: '0', chunks: '2' });
  await expect.poll(() => log.setAside()).toHaveLength(1);
  await log.blobs.put(Buffer.from('whole'));
  const files = filesIn();
  const beside = await examine();
  expect(beside.filter(({ state }) => state === 'wrong')).toEqual([]);
  const texts = beside.map(({ text }) => text).join('\n');
  expect(texts).toContain('3 records read, and no more there');
  expect(texts).toContain('records that are no events were set aside: 1 of partition 0');
  expect(texts).toContain('blobs of which a part has not come: 1, 1 MiB');
  expect(filesIn()).toEqual(files);
  await log.close();

  cpSync(log.directory, join(log.directory, '..', 'former-1a2b3c4d'), { recursive: true });
  await send('events', 'stranger', {});
  const after = await examine();
  expect(after.map(({ text }) => text).join('\n')).toContain('3 records read, behind in partition 0 by 1');
  expect(after).toContainEqual(expect.objectContaining({ about: 'former replicas', state: 'note' }));

  const configEntries = [{ name: 'retention.ms', value: '60000' }];
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: `${prefix}.events`, configEntries }],
  });
  await admin.deleteTopicRecords({ topic: `${prefix}.events`, partitions: [{ partition: 0, offset: '1' }] });
  await expect
    .poll(async () => (await examine()).filter(({ state }) => state === 'wrong').map(({ about }) => about), { timeout: 20_000 })
    .toEqual([`${prefix}.events`, `${prefix}.events/0`]);
});
