// A topic that was cut short, made anew, deleted or given more partitions, and a replica that somebody changed: clients raise no error.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { NewEvent } from '@dreamfold/events';
import { sqliteReplicas } from '@dreamfold/log/sqlite';
import kafkajs, { type Admin } from 'kafkajs';
import { describe, expect, inject, test, vi, type TestContext } from 'vitest';
import type { KafkaLog } from '../kafka-log.ts';
import type { LogNotice } from '../kafka-node.ts';
import { openKafkaLog } from '../open-kafka-log.ts';
import { compareNodes } from '../testing/agreement.ts';

const STREAM = 'session/kept';
const EVENTS = 12;
/** The topic is looked at every five seconds. */
const NOTICED_MS = 25_000;

/** With a client of its own: one that is kept fails at everything once a topic that it has asked for is deleted. */
async function asAdmin<Result>(run: (admin: Admin) => Promise<Result>): Promise<Result> {
  const admin = new kafkajs.Kafka({ brokers: inject('kafkaBrokers').split(','), logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await run(admin);
  } finally {
    await admin.disconnect();
  }
}

class Place {
  readonly prefix = `diverged-${randomBytes(4).toString('hex')}`;
  readonly root = mkdtempSync(join(tmpdir(), 'dreamfold-diverged-'));
  readonly notices: LogNotice[] = [];

  readonly #onTestFinished: TestContext['onTestFinished'];

  constructor({ onTestFinished }: TestContext) {
    this.#onTestFinished = onTestFinished;
    onTestFinished(() => rmSync(this.root, { recursive: true }));
  }

  async open(node = 'a'): Promise<KafkaLog> {
    const url = `kafka://${inject('kafkaBrokers')}/${this.prefix}`;
    const onNotice = (notice: LogNotice): void => void this.notices.push(notice);
    const log = await openKafkaLog({ url, directory: join(this.root, node), storage: sqliteReplicas, onNotice });
    this.#onTestFinished(() => log.close());
    return log;
  }

  /** A log with events, in a topic of two partitions. */
  async begin(): Promise<KafkaLog> {
    await (
      await openKafkaLog({
        url: `kafka://${inject('kafkaBrokers')}/${this.prefix}?partitions=2`,
        directory: join(this.root, 'a'),
        storage: sqliteReplicas,
      })
    ).close();
    const log = await this.open();
    await fill(log);
    return log;
  }

  /** What stands beside the lock of node a. */
  kept(): string[] {
    return readdirSync(join(this.root, 'a', this.prefix, '1')).filter((name) => name !== 'processor.lock');
  }

  database(partition: number, { node = 'a', replica = 'replica' } = {}): string {
    return join(this.root, node, this.prefix, '1', replica, `partition-${partition}`, 'replica.db');
  }
}

function user(text: string): NewEvent {
  return { type: 'user.message', data: { content: [{ type: 'text', text }] }, class: 'open', actor: 'user' };
}

async function fill(log: KafkaLog): Promise<void> {
  for (let i = 0; i < EVENTS; i += 1) await log.append({ stream: STREAM, id: `e${i}`, expected: i, events: [user(`event ${i}`)] });
}

/** The partition that holds the stream, and the offset behind its last record: the genesis stands before its events. */
async function placeOfStream(log: KafkaLog): Promise<{ partition: number; high: string }> {
  const cursor = await log.cursor();
  return { partition: cursor.indexOf(EVENTS + 1), high: String(EVENTS + 1) };
}

const diverged = expect.objectContaining({ code: 'log_diverged' });

async function deleteRecords({ prefix }: Place, before: { partition: number; offset: string }): Promise<void> {
  const topic = `${prefix}.events`;
  await asAdmin(async (admin) => {
    // It asks the leaders that it knows.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [before] });
  });
}

/** The node says that it can't go on, to everybody. */
async function expectStopped(log: KafkaLog, place: Place, message: RegExp): Promise<void> {
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
    const place = new Place(context);
    const log = await place.begin();
    const { partition, high } = await placeOfStream(log);
    await deleteRecords(place, { partition, offset: '5' });
    await expectStopped(log, place, /first 5 records .* were deleted/);
    await expect(place.open()).rejects.toEqual(diverged);
    await expect(place.open('new')).rejects.toEqual(diverged);
    expect(existsSync(place.database(partition, { node: 'new' }))).toBe(false);
    // It may be the only whole copy.
    expect(eventsIn(place.database(partition))).toBe(Number(high));
  });

  test('that is emptied stops the node', async (context) => {
    const place = new Place(context);
    const log = await place.begin();
    const { partition } = await placeOfStream(log);
    await deleteRecords(place, { partition, offset: '-1' });
    await expectStopped(log, place, /were deleted/);
    await expect(place.open()).rejects.toEqual(diverged);
  });

  test('that was made anew under its name stops the node, which begins with it when it is opened again', async (context) => {
    const place = new Place(context);
    const log = await place.begin();
    const { logId } = log;
    const topic = `${place.prefix}.events`;
    const { resources } = await asAdmin((admin) =>
      admin.describeConfigs({
        resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }],
        includeSynonyms: false,
      }),
    );
    const configEntries = resources[0]!.configEntries
      .filter(({ isDefault }) => !isDefault)
      .map(({ configName: name, configValue: value }) => ({ name, value }));
    await asAdmin((admin) => admin.deleteTopics({ topics: [topic] }));
    await vi.waitFor(() => asAdmin((admin) => admin.createTopics({ topics: [{ topic, numPartitions: 2, configEntries }] })), 10_000);
    // Another node begins it, and fills it to where the old one was: its offsets look right.
    await fill(await place.open('other'));
    await expectStopped(log, place, /is not the partition that was read before|belongs to/);
    const again = await place.open();
    expect(place.notices).toContainEqual({ kind: 'rebuilding', message: expect.stringContaining('The local replica is built again') });
    expect(again.logId).not.toBe(logId);
    // The only copy of what was deleted.
    const former = place.kept().find((name) => name.startsWith('former-'))!;
    expect(place.notices).toContainEqual({ kind: 'rebuilding', message: expect.stringContaining(former) });
    expect(eventsIn(place.database(0, { replica: former })) + eventsIn(place.database(1, { replica: former }))).toBe(EVENTS + 2);
    expect(await compareNodes([again, await place.open('rebuilt')])).toMatchObject({ differences: [], problems: [] });
  });

  test('that was deleted stops the node', async (context) => {
    const place = new Place(context);
    const log = await place.begin();
    await asAdmin((admin) => admin.deleteTopics({ topics: [`${place.prefix}.events`] }));
    await expectStopped(log, place, /deleted|is gone/);
  });

  test('of the keys that was deleted stops the node', async (context) => {
    const place = new Place(context);
    const log = await place.begin();
    await asAdmin((admin) => admin.deleteTopics({ topics: [`${place.prefix}.keys`] }));
    await expectStopped(log, place, /keys/);
  });

  test('that was given more partitions stops the node, and is refused from then on', async (context) => {
    const place = new Place(context);
    const log = await place.begin();
    const topic = `${place.prefix}.events`;
    await asAdmin((admin) => admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] }));
    await expectStopped(log, place, /has 3 partitions instead of 2/);
    const work = `${place.prefix}.work`;
    await asAdmin((admin) => admin.createPartitions({ topicPartitions: [{ topic: work, count: 3 }] }));
    await expect(place.open()).rejects.toMatchObject({ code: 'log_diverged', message: expect.stringContaining('made for 2 partitions') });
    expect(place.kept()).toEqual(['replica']);
    expect(eventsIn(place.database(0)) + eventsIn(place.database(1))).toBe(EVENTS + 2);
    // Nobody has begun the one that was added.
    expect(await asAdmin((admin) => admin.fetchTopicOffsets(topic))).toContainEqual(expect.objectContaining({ partition: 2, high: '0' }));
  });

  test('that is set to forget is refused', async (context) => {
    const place = new Place(context);
    await (await place.begin()).close();
    const name = `${place.prefix}.events`;
    const configEntries = [{ name: 'retention.ms', value: '60000' }];
    await asAdmin((admin) =>
      admin.alterConfigs({ validateOnly: false, resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name, configEntries }] }),
    );
    await expect(place.open()).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('retention.ms=60000 instead of -1'),
      remedy: expect.stringContaining('kafka-configs'),
    });
  });
});

describe.concurrent('a replica', () => {
  test.for([
    ['whose anchor was changed', "UPDATE anchor SET digest = 'another'"],
    ['whose anchor was moved', 'UPDATE anchor SET offset = offset + 5'],
    ['whose last event was deleted', 'DELETE FROM events WHERE position = (SELECT max(position) FROM events)'],
    ['whose last hash was changed', 'UPDATE events SET hash = zeroblob(32) WHERE position = (SELECT max(position) FROM events)'],
  ] as const)('%s is built again', async ([, statement], context) => {
    const place = new Place(context);
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
    const place = new Place(context);
    const log = await place.begin();
    const { partition } = await placeOfStream(log);
    await log.close();
    const db = new DatabaseSync(place.database(partition));
    db.exec("UPDATE events SET data = replace(data, 'event 5', 'event 6')");
    db.close();
    expect((await (await place.open()).archive.verify()).problems).toMatchObject([{ stream: STREAM, seq: 6 }]);
  });
});
