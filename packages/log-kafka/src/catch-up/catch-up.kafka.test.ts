// Threads that fold what a replica lacks, on few records: openKafkaLog begins with them only where many are missing.
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NewEvent } from '@dreamfold/events';
import { sqliteReplicas } from '@dreamfold/log/sqlite';
import { expect, inject, onTestFinished, test } from 'vitest';
import { catchUpInThreads } from './catch-up.ts';
import { driverFor } from '../driver/driver-for.ts';
import type { KafkaLog } from '../kafka-log.ts';
import { parseKafkaUrl, type KafkaPlace } from '../kafka-url.ts';
import { openKafkaLog } from '../open-kafka-log.ts';
import { openPartition } from '../partition/open-partition.ts';
import { compareNodes } from '../testing/agreement.ts';

const PARTITIONS = 4;
const STREAMS = 40;
const { source } = sqliteReplicas;

interface Field {
  place: KafkaPlace;
  writer: KafkaLog;
  /** Opens a node whose replica is in the directory with this name. */
  open: (node: string) => Promise<KafkaLog>;
  /** The directory of a node's replica. */
  replicaOf: (node: string) => string;
  /** Folds in threads, and tells which offset of each partition came next. */
  catchUp: (node: string, meanwhile?: () => Promise<unknown>) => Promise<{ next: number[]; setAside: string[] }>;
}

function user(text: string): NewEvent {
  return { type: 'user.message', data: { content: [{ type: 'text', text }] }, class: 'open', actor: 'user' };
}

/** A log of some streams, of which an event is erased, with a record that is no event. */
async function begin(): Promise<Field> {
  const root = mkdtempSync(join(tmpdir(), 'dreamfold-catch-up-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const url = `kafka://${inject('kafkaBrokers')}/catch-up-${randomBytes(4).toString('hex')}?partitions=${PARTITIONS}`;
  const place = parseKafkaUrl(url);
  const open = async (node: string): Promise<KafkaLog> => {
    const log = await openKafkaLog({ url, directory: join(root, node), storage: sqliteReplicas });
    onTestFinished(() => log.close());
    return log;
  };
  const writer = await open('writer');
  const events = (i: number): NewEvent[] => Array.from({ length: 5 }, (_, n) => user(`${i} ${n}`));
  await Promise.all(
    Array.from({ length: STREAMS }, (_, i) => writer.append({ stream: `session/${i}`, id: 'a', expected: 0, events: events(i) })),
  );
  await writer.erasure.erase('session/7', { seqs: [2], reason: 'asked for' });
  const driver = driverFor(place);
  onTestFinished(() => driver.close());
  await driver.produce(place.topics.events, 1, [{ key: 'x', value: Buffer.from('no event'), headers: {} }]);
  await writer.append({ stream: 'session/1', id: 'b', expected: 5, events: events(1) });
  const replicaOf = (node: string): string => join(root, node, place.prefix, writer.logId, '1', 'replica');
  const catchUp: Field['catchUp'] = async (node, meanwhile = () => Promise.resolve()) => {
    const ends = (await driver.offsets(place.topics.events))!.map(({ high }) => high);
    const next = ends.map(() => 0);
    const setAside: string[] = [];
    await catchUpInThreads({
      ...{ place, directory: replicaOf(node), source: source!, ends, begins: next },
      begin: async () => void (await meanwhile()),
      onFolded: (partition, offset) => (next[partition] = offset),
      onSetAside: ({ partition, reason }) => setAside.push(`${partition} ${reason}`),
    });
    return { next, setAside };
  };
  return { place, writer, open, replicaOf, catchUp };
}

test('they fold every partition as a node does, with its keys', async () => {
  const { place, writer, open, replicaOf, catchUp } = await begin();
  const node = await open('node');
  await compareNodes([writer, node]);
  await node.close();
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    rmSync(join(replicaOf('node'), `partition-${partition}`), { recursive: true });
  }
  const driver = driverFor(place);
  onTestFinished(() => driver.close());
  const ends = (await driver.offsets(place.topics.events))!.map(({ high }) => high);
  // Their keys are not in the node's store.
  const { next, setAside } = await catchUp('node', () =>
    Promise.all(
      Array.from({ length: 20 }, (_, i) => writer.append({ stream: `session/new_${i}`, id: 'a', expected: 0, events: [user('new')] })),
    ),
  );
  expect(setAside).toEqual(['1 broken']);
  expect(next).toEqual(ends);

  for (const [partition, offset] of next.entries()) {
    const replica = openPartition(sqliteReplicas, { directory: replicaOf('node'), partition, partitions: PARTITIONS });
    expect(replica.anchor().offset).toBe(offset);
    replica.close();
  }
  const again = await open('node');
  expect(await compareNodes([writer, again])).toMatchObject({ differences: [], problems: [] });
  const read = async (log: KafkaLog): Promise<unknown[]> => {
    const payloads: unknown[] = [];
    for await (const batch of log.read('session/7')) payloads.push(...batch.map(({ data }) => data));
    return payloads;
  };
  expect(await read(again)).toEqual(await read(writer));
  expect((await read(again))[1]).toBeNull();
});

test('without its keys they leave the payloads to the node', async () => {
  const { writer, open, replicaOf, catchUp } = await begin();
  const node = await open('node');
  await node.close();
  rmSync(replicaOf('node'), { recursive: true });
  mkdirSync(replicaOf('node'));
  const { next } = await catchUp('node');
  expect(Math.max(...next)).toBeLessThan(10);
  const again = await open('node');
  expect(await compareNodes([writer, again])).toMatchObject({ differences: [], problems: [] });
  for await (const batch of again.read('session/3')) expect(batch[0]!.data).toEqual({ content: [{ type: 'text', text: '3 0' }] });
});
