// Brokers that are away when a log is opened, that say nothing, and that go away while it is open.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NewEvent } from '@dreamfold/events';
import { sqliteReplicas } from '@dreamfold/log/sqlite';
import kafkajs from 'kafkajs';
import { beforeAll, describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { startKafka, type KafkaCluster } from '../../../scripts/kafka/kafka-broker.ts';
import type { KafkaLog } from './kafka-log.ts';
import type { LogNotice } from './kafka-node.ts';
import { parseKafkaUrl } from './kafka-url.ts';
import { openKafkaLog } from './open-kafka-log.ts';
import { compareNodes } from './testing/agreement.ts';
import { topicSpecs } from './topics/topics-spec.ts';

const STREAM = 'session/patient';

function temporary(): string {
  const root = mkdtempSync(join(tmpdir(), 'dreamfold-away-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  return root;
}

async function refused(brokers: string, root: string): Promise<unknown> {
  const begunAt = performance.now();
  const error: unknown = await openKafkaLog({ url: `kafka://${brokers}/away`, directory: root, storage: sqliteReplicas }).catch(
    (error: unknown) => error,
  );
  expect(performance.now() - begunAt).toBeLessThan(10_000);
  return error;
}

/** Changes a setting of a topic while nodes write to it. */
async function limitRecords(brokers: string, which: 'events' | 'keys', bytes: number): Promise<void> {
  const place = parseKafkaUrl(`kafka://${brokers}/away`);
  const name = place.topics[which];
  const { settings } = topicSpecs(place, 1).find(({ topic }) => topic === name)!;
  const admin = new kafkajs.Kafka({ brokers: brokers.split(','), logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  // What is not named goes back to its default.
  const configEntries = Object.entries({ ...settings, 'max.message.bytes': String(bytes) }).map(([name, value]) => ({ name, value }));
  await admin.alterConfigs({ validateOnly: false, resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name, configEntries }] });
  await admin.disconnect();
}

function user(text: string): NewEvent {
  return { type: 'user.message', data: { content: [{ type: 'text', text }] }, class: 'open', actor: 'user' };
}

test('where nobody listens a log is not opened, and nothing of it is left', async () => {
  const root = temporary();
  expect(await refused('127.0.0.1:1,127.0.0.1:2', root)).toMatchObject({
    name: 'DreamfoldError',
    code: 'store_unavailable',
    message: expect.stringMatching(/127\.0\.0\.1:1, 127\.0\.0\.1:2.*ECONNREFUSED/),
    remedy: expect.stringContaining('Check that the brokers run'),
  });
  expect(readdirSync(root)).toEqual([]);
});

describe.skipIf(!inject('canStartKafka'))('with a broker of its own', () => {
  let kafka: KafkaCluster;
  beforeAll(async () => {
    kafka = await startKafka({ sessionTimeoutMs: 1_000 });
    return () => kafka.stop();
  });

  async function open(root: string, node: string, notices: LogNotice[] = []): Promise<KafkaLog> {
    const onNotice = (notice: LogNotice): void => void notices.push(notice);
    const url = `kafka://${kafka.brokers}/away?partitions=2`;
    const log = await openKafkaLog({ url, directory: join(root, node), storage: sqliteReplicas, onNotice });
    onTestFinished(() => log.close());
    return log;
  }

  test('appends wait for a broker that goes away, and count when it is back, without being opened again', async () => {
    const root = temporary();
    const notices: LogNotice[] = [];
    const log = await open(root, 'a', notices);
    const { seq } = (await log.append({ stream: STREAM, id: 'before', expected: 'any', events: [user('before')] })).head;
    await kafka.node(1).kill();
    await vi.waitFor(
      () => expect(notices).toMatchObject([{ kind: 'disconnected', message: expect.stringContaining('tried again') }]),
      10_000,
    );
    const waiting = [
      log.append({ stream: STREAM, id: 'first', expected: seq, events: [user('first')] }),
      log.append({ stream: STREAM, id: 'second', expected: seq + 1, follows: 'first', events: [user('second')] }),
      ...Array.from({ length: 10 }, (_, i) => log.append({ stream: `session/new_${i}`, id: 'first', expected: 0, events: [user('new')] })),
    ];
    expect(await Promise.race([...waiting, sleep(500, 'waits')])).toBe('waits');
    // What is here is read all the time; what can't be known is said.
    expect((await log.head(STREAM)).seq).toBe(seq);
    await expect(log.blobs.get('0'.repeat(64))).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(await refused(kafka.brokers, temporary())).toMatchObject({ code: 'store_unavailable' });
    await kafka.node(1).start();
    const counted = await Promise.all(waiting);
    expect(counted.map(({ head }) => head.seq)).toEqual([seq + 1, seq + 2, ...Array.from({ length: 10 }, () => 1)]);
    expect(counted.some(({ duplicate }) => duplicate)).toBe(false);
    await vi.waitFor(() => expect(notices.map(({ kind }) => kind)).toEqual(['disconnected', 'connected']), 10_000);
    expect(await compareNodes([log, await open(root, 'rebuilt')])).toMatchObject({ differences: [], problems: [] });
  });

  test('a broker that says nothing is as one that is away', async () => {
    const root = temporary();
    const log = await open(root, 'a');
    kafka.node(1).suspend();
    onTestFinished(() => kafka.node(1).resume());
    const waiting = log.append({ stream: 'session/silent', id: 'one', expected: 0, events: [user('one')] });
    const fresh = temporary();
    expect(await refused(kafka.brokers, fresh)).toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining(kafka.brokers),
    });
    expect(readdirSync(fresh)).toEqual([]);
    kafka.node(1).resume();
    expect((await waiting).head.seq).toBe(1);
  });

  test.each(['events', 'keys'] as const)(
    'appends wait while the brokers refuse %s, which is said, and count when they do not any more',
    async (which) => {
      const root = temporary();
      const notices: LogNotice[] = [];
      const log = await open(root, 'a', notices);
      await limitRecords(kafka.brokers, which, 100);
      const waiting = log.append({ stream: `session/refused_${which}`, id: 'one', expected: 0, events: [user('one')] });
      await vi.waitFor(
        () => expect(notices).toMatchObject([{ kind: 'refused', message: expect.stringContaining('MESSAGE_TOO_LARGE') }]),
        15_000,
      );
      await limitRecords(kafka.brokers, which, 8 * 1024 * 1024);
      expect((await waiting).head.seq).toBe(1);
      await vi.waitFor(() => expect(notices.map(({ kind }) => kind)).toEqual(['refused', 'connected']), 5_000);
    },
  );

  // The last: the broker stays away.
  test('a log that is closed while the broker is away ends, and says what is not known', async () => {
    const root = temporary();
    const log = await open(root, 'a');
    await kafka.node(1).kill();
    const waiting = log
      .append({ stream: 'session/closed', id: 'one', expected: 0, events: [user('one')] })
      .catch((error: unknown) => error);
    const begunAt = performance.now();
    await log.close();
    expect(performance.now() - begunAt).toBeLessThan(15_000);
    expect(await waiting).toMatchObject({ code: 'store_unavailable', remedy: expect.stringContaining('append with the same id') });
  });
});
