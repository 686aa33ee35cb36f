// The topics are gone, or came back from an older copy: a replica gives the log back.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sqliteReplicas } from '@dreamfold/log/sqlite';
import { describe, expect, inject, test } from 'vitest';
import { examineKafkaLog } from '../doctor/examine-kafka-log.ts';
import type { KafkaLog } from '../kafka-log.ts';
import { compareNodes } from '../testing/agreement.ts';
import { EVENTS, fill, OperatedLog, STREAM, user } from '../testing/operated-log.ts';
import { openReplicaLog } from './open-replica.ts';
import { repairKafkaLog, type RepairReport } from './repair.ts';

const BYTES = new Uint8Array(600_000).map((_, i) => i % 251);

interface Whole {
  place: OperatedLog;
  logId: string;
  sha256: string;
  /** Every event of every partition, by its place. */
  hashes: string[];
}

async function hashesOf(log: Pick<KafkaLog, 'cursor' | 'readRange'>): Promise<string[]> {
  const cursor = await log.cursor();
  const hashes: string[] = [];
  for await (const batch of log.readRange(
    cursor.map(() => 0),
    cursor,
  ))
    hashes.push(...batch.map(({ position, hash }) => `${position} ${hash}`));
  return hashes;
}

/** A log with appends of several events, one that lost a race, an erased payload and a blob; three machines have replicas. */
async function wholeLog(context: ConstructorParameters<typeof OperatedLog>[0]): Promise<Whole> {
  const place = new OperatedLog(context, { brokers: inject('kafkaBrokers'), storage: sqliteReplicas });
  const log = await place.begin();
  const other = await place.open('b');
  const { sha256, size_bytes } = await log.blobs.put(BYTES);
  const blob = { type: 'user.message', data: { content: [], blob: { sha256, size_bytes } }, class: 'open', actor: 'user' } as const;
  await log.append({ stream: 'session/blob', id: 'b', expected: 0, events: [blob, user('two'), user('three')] });
  await Promise.all(
    [log, other].map((one, i) => one.append({ stream: 'session/raced', id: `r${i}`, expected: 'any', events: [user(`${i}`)] })),
  );
  await log.erasure.erase(STREAM, { seqs: [3], reason: 'asked for' });
  await (await place.open('c')).close();
  const hashes = await hashesOf(log);
  await Promise.all([log.close(), other.close()]);
  return { place, logId: log.logId, sha256, hashes };
}

function repairFrom(place: OperatedLog, node: string, logId: string): Promise<RepairReport> {
  const replica = join(place.root, node, place.prefix, logId);
  return repairKafkaLog({ url: place.url, directory: join(place.root, node), storage: sqliteReplicas, replica });
}

async function expectWhole({ place, logId, sha256, hashes }: Whole, nodes: readonly string[]): Promise<void> {
  const logs = await Promise.all(nodes.map((node) => place.open(node)));
  for (const log of logs) {
    expect(log.logId).toBe(logId);
    expect(await hashesOf(log)).toEqual(hashes);
    expect(Buffer.from((await log.blobs.get(sha256))!)).toEqual(Buffer.from(BYTES));
    const payloads: unknown[] = [];
    for await (const batch of log.read(STREAM)) payloads.push(...batch.map(({ data }) => data));
    expect(payloads[2]).toBeNull();
    expect(payloads[3]).toEqual(user('event 3').data);
  }
  // The erasure is an event, too.
  await fill(logs[0]!, { from: EVENTS + 1, to: EVENTS + 3 });
  expect(await compareNodes(logs)).toMatchObject({ differences: [], problems: [] });
}

describe.concurrent('a repair', () => {
  test('makes topics that were deleted again, with every event at its place; machines with replicas lose nothing', async (context) => {
    const whole = await wholeLog(context);
    await whole.place.delete('events', 'keys', 'blobs', 'work');
    // What one that was killed left behind.
    const left = join(whole.place.root, 'a', whole.place.prefix, 'repair');
    mkdirSync(left);
    writeFileSync(join(left, 'replica'), 'a payload in the clear');
    const examined = await examineKafkaLog({ url: whole.place.url, directory: join(whole.place.root, 'a'), storage: sqliteReplicas });
    expect(examined).toContainEqual(expect.objectContaining({ about: 'repair', text: expect.stringContaining(left) }));
    const report = await repairFrom(whole.place, 'a', whole.logId);
    expect(existsSync(left)).toBe(false);
    expect(report).toMatchObject({ logId: whole.logId, events: whole.hashes.length, added: whole.hashes.length - 2, blobs: 1 });
    expect(await whole.place.topics()).toHaveLength(4);
    await expectWhole(whole, ['a', 'b', 'c', 'fresh']);
  });

  test('keeps no machine out that was away while a payload was erased', async (context) => {
    const whole = await wholeLog(context);
    const log = await whole.place.open('a');
    await log.erasure.erase('session/raced', { seqs: [1], reason: 'asked for' });
    await log.close();
    await whole.place.delete('events', 'keys', 'blobs', 'work');
    await repairFrom(whole.place, 'a', whole.logId);
    const away = await whole.place.open('c');
    const payloads: unknown[] = [];
    for await (const batch of away.read('session/raced')) payloads.push(...batch.map(({ type, data }) => [type, data === null]));
    expect(payloads).toEqual([
      ['user.message', true],
      ['user.message', false],
      ['log.erased', false],
    ]);
    expect(await away.archive.verify()).toMatchObject({ problems: [] });
  });

  test('fills up topics that came back from an older copy, and may be run again', async (context) => {
    const whole = await wholeLog(context);
    await whole.place.restoreOlder(6);
    await expect(whole.place.open('b')).rejects.toMatchObject({ code: 'log_diverged' });
    expect((await repairFrom(whole.place, 'b', whole.logId)).added).toBeGreaterThan(0);
    expect(await repairFrom(whole.place, 'b', whole.logId)).toMatchObject({ events: whole.hashes.length, added: 0 });
    await expectWhole(whole, ['a', 'b', 'fresh']);
  });

  test('touches no topics that hold something else', async (context) => {
    const whole = await wholeLog(context);
    await whole.place.delete('events', 'keys', 'blobs', 'work');
    const other = await whole.place.open('fresh', { url: `${whole.place.url}?partitions=2` });
    const before = await hashesOf(other);
    await expect(repairFrom(whole.place, 'a', whole.logId)).rejects.toMatchObject({
      code: 'log_diverged',
      message: expect.stringContaining(other.logId),
    });
    expect(await hashesOf(other)).toEqual(before);
  });
});

test('a replica is read while a node follows the log into it, and never written', async (context) => {
  const place = new OperatedLog(context, { brokers: inject('kafkaBrokers'), storage: sqliteReplicas });
  const log = await place.begin();
  const reader = await openReplicaLog({ directory: join(place.root, 'a', place.prefix, log.logId), storage: sqliteReplicas });
  context.onTestFinished(() => reader.close());
  expect(await hashesOf(reader)).toEqual(await hashesOf(log));
  await fill(log, { from: EVENTS, to: EVENTS + 3 });
  expect((await reader.head(STREAM)).seq).toBe(EVENTS + 3);
  expect(await reader.archive.verify()).toMatchObject({ problems: [], events: EVENTS + 5 });
  await expect(reader.append({ stream: STREAM, id: 'x', expected: 'any', events: [user('x')] })).rejects.toMatchObject({
    code: 'store_read_only',
  });
  await expect(reader.blobs.put(BYTES)).rejects.toMatchObject({ code: 'store_read_only' });
});
