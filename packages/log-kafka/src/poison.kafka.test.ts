// Records that are no events of the log, put into its topics by somebody else's client; and events of a newer Dreamfold.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EVENT_VERSION, RULE, hashInput, type NewEvent, type StoredEvent } from '@dreamfold/events';
import { EMPTY_HEAD, type Head } from '@dreamfold/log';
import { genesisRequest, prepareAppend, stampAppend, type SetAside } from '@dreamfold/log/backend';
import { sqliteReplicas } from '@dreamfold/log/sqlite';
import kafkajs, { type Message } from 'kafkajs';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { sha256 } from './erasure/digest.ts';
import type { DriverRecord } from './driver/driver.ts';
import type { KafkaLog } from './kafka-log.ts';
import type { LogNotice } from './kafka-node.ts';
import { parseKafkaUrl } from './kafka-url.ts';
import { driverFor } from './driver/driver-for.ts';
import { openKafkaLog } from './open-kafka-log.ts';
import { partitionOf } from './partition/partition-of.ts';
import { encodeRecord } from './partition/record-codec.ts';
import { compareNodes } from './testing/agreement.ts';
import { claimStream } from './testing/load.ts';
import { ensureTopics } from './topics/topics.ts';

const PARTITIONS = 2;
const STREAM = 'session/poisoned';

interface Place {
  url: string;
  root: string;
  prefix: string;
  open: (node: string, onNotice?: (notice: LogNotice) => void) => Promise<KafkaLog>;
}

function newPlace(): Place {
  const root = mkdtempSync(join(tmpdir(), 'dreamfold-poison-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const prefix = `poison-${randomBytes(4).toString('hex')}`;
  const url = `kafka://${inject('kafkaBrokers')}/${prefix}?partitions=${PARTITIONS}`;
  const open = async (node: string, onNotice: (notice: LogNotice) => void = () => {}): Promise<KafkaLog> => {
    const log = await openKafkaLog({ url, directory: join(root, node), storage: sqliteReplicas, onNotice });
    onTestFinished(() => log.close());
    return log;
  };
  return { url, root, prefix, open };
}

/** A client that knows nothing of the log. */
async function stranger(): Promise<(topic: string, partition: number, ...messages: Partial<Message>[]) => Promise<void>> {
  const kafka = new kafkajs.Kafka({ brokers: inject('kafkaBrokers').split(','), logLevel: kafkajs.logLevel.NOTHING });
  const producer = kafka.producer();
  await producer.connect();
  onTestFinished(() => producer.disconnect());
  return async (topic, partition, ...messages) => {
    await producer.send({ topic, acks: -1, messages: messages.map((one) => ({ value: null, ...one, partition })) });
  };
}

function user(text: string, change: Partial<NewEvent> = {}): NewEvent {
  return { type: 'user.message', data: { content: [{ type: 'text', text }] }, class: 'open', actor: 'user', ...change };
}

/** The records of an append as another process would make them. */
function recordsOf(log: KafkaLog, request: { stream: string; id: string; head: Head; events: NewEvent[]; epoch?: number }): DriverRecord[] {
  const { head, ...rest } = request;
  const prepared = prepareAppend({ ...rest, expected: head.seq }, 0);
  return stampAppend(prepared, head, 'w_stranger').map((event) => encodeRecord(event, { logId: log.logId }));
}

function message({ key, value, headers }: DriverRecord, change: Partial<Message> = {}): Message {
  return { key, value: Buffer.from(value), headers: { ...headers }, ...change };
}

/** What is no event of the log, each in a way of its own. */
function poison(log: KafkaLog, head: Head): Record<string, Message> {
  const event = user('never');
  const [good] = recordsOf(log, { stream: STREAM, id: 'never', head, events: [event] });
  const [, second] = recordsOf(log, { stream: STREAM, id: 'half', head, events: [event, event] });
  const envelope = (change: (text: string) => string): Message =>
    message(good!, { headers: { ...good!.headers, df_envelope: change(good!.headers['df_envelope']!) } });
  return {
    'no envelope': { key: 'nobody', value: 'not JSON at all', headers: {} },
    'bytes that are no text': {
      key: Buffer.from([0xff, 0xfe]),
      value: Buffer.from([0x80, 0, 0xff]),
      headers: { df_envelope: Buffer.from([0xc0]) },
    },
    'an envelope that is no JSON': envelope((text) => text.slice(0, -2)),
    'an envelope without a field': envelope((text) => text.replace('"writer":"w_stranger",', '')),
    'an envelope with another seq': envelope((text) => text.replace(/"seq":\d+/, '"seq":7')),
    'two envelopes': message(good!, { headers: { ...good!.headers, df_envelope: [good!.headers['df_envelope']!, '{}'] } }),
    'another payload than was hashed': message(good!, { value: good!.value.toString().replace('never', 'often') }),
    'the key of another stream': message(good!, { key: 'session/other' }),
    'no key': message(good!, { key: null }),
    'no value': message(good!, { value: null }),
    'the second half of an append': message(second!),
    'two megabytes': { key: 'large', value: Buffer.alloc(2_000_000, 'x'), headers: {} },
  };
}

/** The bytes of a record that was set aside, as its text keeps them. */
function valueIn({ bytes }: SetAside): Buffer | null {
  const { value } = JSON.parse(bytes) as { value: string | { base64: string } | null };
  return value === null ? null : typeof value === 'string' ? Buffer.from(value) : Buffer.from(value.base64, 'base64');
}

async function textsOf(log: KafkaLog, stream: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const events of log.read(stream)) ids.push(...events.map(({ id }) => id));
  return ids;
}

test('what is no event is set aside with its bytes, on every node the same, and everything else goes on', async () => {
  const { open, prefix } = newPlace();
  const notices: LogNotice[] = [];
  const log = await open('a', (notice) => notices.push(notice));
  const other = await open('b');
  const produce = await stranger();
  const at = partitionOf(STREAM, PARTITIONS);
  await log.append({ stream: STREAM, id: 'before', expected: 0, events: [user('before')] });
  const entries = Object.entries(poison(log, await log.head(STREAM)));
  for (const [i, [, record]] of entries.entries()) {
    await produce(`${prefix}.events`, at, record);
    // On the same stream, in the same partition, between them.
    await log.append({ stream: STREAM, id: `between.${i}`, expected: 1 + i, events: [user('between')] });
  }
  const misplaced = recordsOf(log, { stream: STREAM, id: 'never', head: EMPTY_HEAD, events: [user('never')] });
  await produce(`${prefix}.events`, 1 - at, ...misplaced.map((record) => message(record)));
  const { position } = await log.append({ stream: STREAM, id: 'after', expected: 'any', events: [user('after')] });
  await other.waitFor(position);

  const ids = ['before', ...entries.map((_, i) => `between.${i}`), 'after'];
  const logs = [log, other, await open('rebuilt')];
  for (const one of logs) {
    expect(await textsOf(one, STREAM)).toEqual(ids);
    const aside = one.setAside();
    expect(aside.filter(({ partition }) => partition === 1 - at)).toMatchObject([{ reason: 'broken' }]);
    const here = aside.filter(({ partition }) => partition === at);
    expect(here.map(({ reason }) => reason)).toEqual(
      entries.map(([name]) => (name === 'the second half of an append' ? 'torn' : 'broken')),
    );
    for (const [i, [name, { value }]] of entries.entries()) {
      if (name === 'two megabytes') expect(here[i]!.bytes).toHaveLength(1024 * 1024);
      else expect({ name, value: valueIn(here[i]!) }).toEqual({ name, value: value === null ? null : Buffer.from(value) });
    }
    expect(aside).toEqual(log.setAside());
  }
  expect(await compareNodes(logs)).toMatchObject({ differences: [], problems: [] });
  const said = notices.filter(({ kind }) => kind === 'set_aside').map(({ message: text }) => text);
  // All of them, and the misplaced one.
  expect(said).toHaveLength(entries.length + 1);
  expect(said.filter((text) => text.includes('the rest is missing'))).toHaveLength(1);
  // What was set aside is still there, once, when the node starts again.
  const aside = other.setAside();
  await other.close();
  expect((await open('b')).setAside()).toEqual(aside);
});

test('an intact record of an owner that was outlived counts for nobody', async () => {
  const { open, prefix } = newPlace();
  const log = await open('a');
  const produce = await stranger();
  const at = partitionOf(STREAM, PARTITIONS);
  const stale = await claimStream(log, STREAM);
  await claimStream(log, STREAM);
  const answer = user('late', { type: 'agent.message', class: 'owner', actor: 'sthr_1' });
  // On the newest head, so that nothing but its epoch is wrong.
  const late = recordsOf(log, { stream: STREAM, id: 'late', head: await log.head(STREAM), epoch: stale, events: [answer] });
  await produce(`${prefix}.events`, at, ...late.map((record) => message(record)));
  const before = await log.head(STREAM);
  const after = await log.append({ stream: STREAM, id: 'after', expected: before.seq, events: [user('after')] });
  expect(after.head.seq).toBe(before.seq + 1);
  const logs = [log, await open('rebuilt')];
  for (const one of logs) expect(await textsOf(one, STREAM)).not.toContain('late');
  expect(await compareNodes(logs)).toMatchObject({ differences: [], problems: [] });
});

test('hundreds of them hold an append up for less than five seconds', async () => {
  const { open, prefix } = newPlace();
  const log = await open('a');
  const produce = await stranger();
  const at = partitionOf(STREAM, PARTITIONS);
  await produce(`${prefix}.events`, at, ...Array.from({ length: 500 }, (_, i) => ({ key: 'k', value: `junk ${i}` })));
  const begunAt = performance.now();
  await log.append({ stream: STREAM, id: 'after', expected: 0, events: [user('after')] });
  expect(performance.now() - begunAt).toBeLessThan(5_000);
  expect(log.setAside()).toHaveLength(500);
});

test('junk among the keys and blobs is passed over', async () => {
  const { open, prefix } = newPlace();
  const log = await open('a');
  const produce = await stranger();
  await log.append({ stream: STREAM, id: 'one', expected: 0, events: [user('one')] });
  const { sha256 } = await log.blobs.put(Buffer.from('a blob'));
  await produce(
    `${prefix}.keys`,
    0,
    { key: `${STREAM} w_x`, value: 'no JSON' },
    { key: 'k', value: '{"v":1,"nodes":"none"}' },
    { key: 'gone' },
  );
  await produce(
    `${prefix}.blobs`,
    0,
    { key: sha256, value: 'another', headers: { chunk: '0', chunks: '1' } },
    { key: 'f'.repeat(64), value: 'x', headers: { chunk: '0', chunks: '999999' } },
    { key: 'x' },
  );
  await log.append({ stream: STREAM, id: 'two', expected: 1, events: [user('two')] });
  const rebuilt = await open('rebuilt');
  expect(Buffer.from((await rebuilt.blobs.get(sha256))!).toString()).toBe('a blob');
  expect(await rebuilt.blobs.get('f'.repeat(64))).toBeNull();
  expect(await compareNodes([log, rebuilt])).toMatchObject({ differences: [], problems: [] });
  for await (const events of rebuilt.read(STREAM)) expect(events.map(({ data }) => data)).toEqual([user('one').data, user('two').data]);
});

describe('what a newer Dreamfold wrote', () => {
  test.each([
    ['a type that is not known here', { type: 'session.teleported', v: 1 }],
    ['a version that is not known here', { type: 'user.message', v: 99 }],
  ])('%s counts, is read as it is, and holds nobody up', async (_, newer) => {
    const { open, prefix } = newPlace();
    const log = await open('a');
    const produce = await stranger();
    const { data } = user('from the future');
    const prepared = prepareAppend({ stream: STREAM, id: 'newer', expected: 0, events: [user('from the future')] }, 0);
    const stored: StoredEvent = { ...stampAppend(prepared, EMPTY_HEAD, 'w_newer')[0]!, ...newer };
    const record = encodeRecord({ ...stored, hash: sha256(hashInput(stored)) }, { logId: log.logId });
    await produce(`${prefix}.events`, partitionOf(STREAM, PARTITIONS), message(record));
    const follows = await log.append({ stream: STREAM, id: 'follows', expected: 1, events: [user('follows')] });
    expect(follows.head.seq).toBe(2);
    await log.append({ stream: 'session/bystander', id: 'a', expected: 0, events: [user('a')] });
    const logs = [log, await open('rebuilt')];
    for (const one of logs) {
      for await (const events of one.read(STREAM))
        expect(events).toMatchObject([
          { ...newer, data },
          { type: 'user.message', v: EVENT_VERSION['user.message'] },
        ]);
      expect(one.setAside()).toEqual([]);
    }
    expect(await compareNodes(logs)).toMatchObject({ differences: [], problems: [] });
    // This Dreamfold does not write what it does not know.
    await expect(log.append({ stream: STREAM, id: 'own', expected: 2, events: [user('x', newer)] })).rejects.toMatchObject({
      code: newer.v === 99 ? 'unsupported_schema_version' : 'unknown_event_type',
    });
  });

  test('a log that is kept by a newer rule is refused, and left as it is', async () => {
    const { url, open } = newPlace();
    const place = parseKafkaUrl(url);
    const driver = driverFor(place);
    onTestFinished(() => driver.close());
    await driver.connect();
    await ensureTopics(driver, place);
    const request = genesisRequest('log_newer', { partitions: PARTITIONS, erasure: true });
    const data = { ...(request.events[0]!.data as object), rule: RULE + 1 };
    const [genesis] = stampAppend(prepareAppend({ ...request, events: [{ ...request.events[0]!, data }] }, 0), EMPTY_HEAD, 'w_newer');
    await driver.produce(place.topics.events, 0, [encodeRecord(genesis!, { logId: 'log_newer' })]);
    await expect(open('a')).rejects.toMatchObject({ code: 'store_newer_than_code', value: RULE + 1 });
    expect(await driver.offsets(place.topics.events)).toEqual([
      { low: 0, high: 1 },
      { low: 0, high: 0 },
    ]);
  });
});

test.for(['commit', 'abort'] as const)('a stranger’s transaction, ended with %s, holds nobody up', async (end) => {
  const { prefix, open } = newPlace();
  const log = await open('a');
  const topic = `${prefix}.events`;
  const partition = partitionOf(STREAM, PARTITIONS);
  const kafka = new kafkajs.Kafka({ brokers: inject('kafkaBrokers').split(','), logLevel: kafkajs.logLevel.NOTHING });
  const producer = kafka.producer({ transactionalId: prefix, idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  onTestFinished(() => producer.disconnect());
  const transaction = await producer.transaction();
  await transaction.send({ topic, acks: -1, messages: [{ partition, value: 'junk' }] });
  await log.append({ stream: STREAM, id: 'during', expected: 0, events: [user('during')] });
  await transaction[end]();
  await log.append({ stream: STREAM, id: 'after', expected: 1, events: [user('after')] });
  const again = await open('b');
  await expect.poll(() => [log, again].map((one) => one.setAside().length), { timeout: 10_000 }).toEqual([2, 2]);
  expect(await compareNodes([log, again])).toMatchObject({ differences: [], problems: [] });
});
