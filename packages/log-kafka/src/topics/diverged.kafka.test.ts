// A topic that was cut short, made anew, deleted or given more partitions, and a replica that somebody changed: clients raise no error.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sqliteReplicas } from '@dreamfold/log/sqlite';
import { describe, expect, inject, test, vi } from 'vitest';
import type { KafkaLog } from '../kafka-log.ts';
import { compareNodes } from '../testing/agreement.ts';
import { EVENTS, fill, OperatedLog, STREAM, user } from '../testing/operated-log.ts';

/** The topic is looked at every five seconds. */
const NOTICED_MS = 25_000;

/** The partition that holds the stream, and the offset behind its last record: the genesis stands before its events. */
async function placeOfStream(log: KafkaLog): Promise<{ partition: number; high: string }> {
  const cursor = await log.cursor();
  return { partition: cursor.indexOf(EVENTS + 1), high: String(EVENTS + 1) };
}

const diverged = expect.objectContaining({ code: 'log_diverged' });

/** The node says that it can't go on, to everybody. */
async function expectStopped(log: KafkaLog, place: OperatedLog, message: RegExp): Promise<void> {
  const ended = (async () => {
    for await (const _ of log.subscribe({ after: await log.cursor(), signal: new AbortController().signal }));
  })().catch((error: unknown) => error);
  await vi.waitFor(() => expect(log.failure).toEqual(diverged), NOTICED_MS);
  expect(log.failure!.message).toMatch(message);
  expect(log.failure!.remedy).not.toBe('');
  await expect(log.append({ stream: STREAM, id: 'late', expected: 'any', events: [user('late')] })).rejects.toEqual(diverged);
  await expect(log.head(STREAM)).rejects.toEqual(diverged);
  expect(await ended).toEqual(diverged);
  expect(place.notices).toContainEqual({ kind: 'failed', message: log.failure!.message });
  await log.close();
}

function eventsIn(database: string): number {
  const db = new DatabaseSync(database, { readOnly: true });
  try {
    return db.prepare('SELECT count(*) AS n FROM events').get()!['n'] as number;
  } finally {
    db.close();
  }
}

describe.concurrent('a topic', () => {
  test('whose beginning was deleted stops the node, which keeps what it has', async (context) => {
    const place = new OperatedLog(context, { brokers: inject('kafkaBrokers'), storage: sqliteReplicas });
    const log = await place.begin();
    const { partition, high } = await placeOfStream(log);
    await place.deleteRecords({ partition, offset: '5' });
    await expectStopped(log, place, /first 5 records .* were deleted/);
    await expect(place.open()).rejects.toEqual(diverged);
    await expect(place.open('new')).rejects.toEqual(diverged);
    expect(existsSync(join(place.root, 'new'))).toBe(false);
    // It may be the only whole copy.
    expect(eventsIn(place.database(partition))).toBe(Number(high));
  });

  test('that is emptied stops the node', async (context) => {
    const place = new OperatedLog(context, { brokers: inject('kafkaBrokers'), storage: sqliteReplicas });
    const log = await place.begin();
    const { partition } = await placeOfStream(log);
    await place.deleteRecords({ partition, offset: '-1' });
    await expectStopped(log, place, /were deleted/);
    await expect(place.open()).rejects.toEqual(diverged);
  });

  test('that was made anew under its name stops the node, which takes it for its log when it is told to', async (context) => {
    const place = new OperatedLog(context, { brokers: inject('kafkaBrokers'), storage: sqliteReplicas });
    const log = await place.begin();
    const { logId, directory } = log;
    await place.remake('events', 2);
    // A machine without a replica begins it, and fills it to where the old one was: its offsets look right.
    await fill(await place.open('other'));
    await expectStopped(log, place, /is not the partition that was read before|belongs to/);
    await expect(place.open()).rejects.toEqual(diverged);
    expect(eventsIn(place.database(0)) + eventsIn(place.database(1))).toBe(EVENTS + 2);
    const again = await place.open('a', { acceptNewLog: true });
    expect(again.logId).not.toBe(logId);
    // The only copy of what was deleted.
    expect(place.notices).toContainEqual({ kind: 'accepted', message: expect.stringContaining(logId) });
    const [first, second] = [0, 1].map((partition) => eventsIn(join(directory, `partition-${partition}`, 'replica.db')));
    expect(first! + second!).toBe(EVENTS + 2);
    expect(await compareNodes([again, await place.open('rebuilt')])).toMatchObject({ differences: [], problems: [] });
  });

  test('that was deleted stops the node', async (context) => {
    const place = new OperatedLog(context, { brokers: inject('kafkaBrokers'), storage: sqliteReplicas });
    const log = await place.begin();
    await place.delete('events');
    await expectStopped(log, place, /deleted|is gone/);
  });

  test('of the keys that was deleted stops the node', async (context) => {
    const place = new OperatedLog(context, { brokers: inject('kafkaBrokers'), storage: sqliteReplicas });
    const log = await place.begin();
    await place.delete('keys');
    await expectStopped(log, place, /keys/);
  });

  test('that was given more partitions stops the node, and is refused from then on', async (context) => {
    const place = new OperatedLog(context, { brokers: inject('kafkaBrokers'), storage: sqliteReplicas });
    const log = await place.begin();
    const topic = `${place.prefix}.events`;
    await place.asAdmin((admin) => admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] }));
    await expectStopped(log, place, /has 3 partitions instead of 2/);
    const work = `${place.prefix}.work`;
    await place.asAdmin((admin) => admin.createPartitions({ topicPartitions: [{ topic: work, count: 3 }] }));
    await expect(place.open()).rejects.toMatchObject({ code: 'log_diverged', message: expect.stringContaining('made for 2 partitions') });
    expect(place.kept()).toEqual(['replica']);
    expect(eventsIn(place.database(0)) + eventsIn(place.database(1))).toBe(EVENTS + 2);
    // Nobody has begun the one that was added.
    expect(await place.asAdmin((admin) => admin.fetchTopicOffsets(topic))).toContainEqual(
      expect.objectContaining({ partition: 2, high: '0' }),
    );
  });

  test('that is set to forget is refused to those who write, and those who look are warned', async (context) => {
    const place = new OperatedLog(context, { brokers: inject('kafkaBrokers'), storage: sqliteReplicas });
    await (await place.begin()).close();
    await place.set('events', { name: 'retention.ms', value: '60000' });
    await expect(place.open()).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('retention.ms=60000 instead of -1'),
      remedy: expect.stringContaining('kafka-configs'),
    });
    const reader = await place.open('a', { readOnly: true });
    expect((await reader.head(STREAM)).seq).toBe(EVENTS);
    const warnings = place.notices.filter(({ kind }) => kind === 'settings').map(({ message }) => message);
    expect(warnings).toEqual([
      expect.stringMatching(/retention\.ms=60000 instead of -1: the brokers delete records .* 60 seconds.*kafka-configs/),
    ]);
  });
});

describe.concurrent('a replica', () => {
  test.for([
    ['whose anchor was changed', "UPDATE anchor SET digest = 'another'"],
    ['whose anchor was moved', 'UPDATE anchor SET offset = offset + 5'],
    ['whose last event was deleted', 'DELETE FROM events WHERE position = (SELECT max(position) FROM events)'],
    ['whose last hash was changed', 'UPDATE events SET hash = zeroblob(32) WHERE position = (SELECT max(position) FROM events)'],
  ] as const)('%s is built again', async ([, statement], context) => {
    const place = new OperatedLog(context, { brokers: inject('kafkaBrokers'), storage: sqliteReplicas });
    const log = await place.begin();
    const { partition } = await placeOfStream(log);
    await log.close();
    const db = new DatabaseSync(place.database(partition));
    db.exec(statement);
    db.close();
    const again = await place.open();
    expect(place.notices).toContainEqual({ kind: 'rebuilding', message: expect.stringContaining('The local replica is built again') });
    await again.append({ stream: STREAM, id: 'after', expected: EVENTS, events: [user('after')] });
    expect(await compareNodes([again, await place.open('rebuilt')])).toMatchObject({ differences: [], problems: [] });
  });

  test('whose events were changed in the middle does not verify', async (context) => {
    const place = new OperatedLog(context, { brokers: inject('kafkaBrokers'), storage: sqliteReplicas });
    const log = await place.begin();
    const { partition } = await placeOfStream(log);
    await log.close();
    const db = new DatabaseSync(place.database(partition));
    db.exec("UPDATE events SET data = replace(data, 'event 5', 'event 6')");
    db.close();
    expect((await (await place.open()).archive.verify()).problems).toMatchObject([{ stream: STREAM, seq: 6 }]);
  });
});
