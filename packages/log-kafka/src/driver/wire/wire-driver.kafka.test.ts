import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { startKafka } from '../../../../../scripts/kafka/kafka-broker.ts';
import type { DriverRecord, FetchedRecord, KafkaDriver } from '../driver.ts';
import { openDriver } from '../driver-for.ts';

const DRIVER = join(import.meta.dirname, '..', 'driver-for.ts');
const CLIENTS = ['kafkajs', 'platformatic'] as const;
let topics = 0;

async function connected(): Promise<KafkaDriver> {
  const driver = openDriver({ brokers: inject('kafkaBrokers').split(','), clientId: 'test' });
  onTestFinished(() => driver.close());
  await driver.connect();
  return driver;
}

async function newTopic(driver: KafkaDriver, partitions: number, settings: Record<string, string> = {}): Promise<string> {
  const topic = `driver-${process.pid}-${(topics += 1)}`;
  await driver.createTopic({ topic, partitions, replication: 1, settings });
  return topic;
}

function record(value: string | Uint8Array, headers: Record<string, string> = {}): DriverRecord {
  return { key: 'key', value: typeof value === 'string' ? Buffer.from(value) : value, headers };
}

/** Everything from the beginning, as it comes. */
async function follow(driver: KafkaDriver, topic: string, from: ReadonlyMap<number, number>): Promise<Map<number, FetchedRecord[]>> {
  const seen = new Map([...from.keys()].map((partition): [number, FetchedRecord[]] => [partition, []]));
  const tail = await driver.tail({
    topic,
    from,
    onBatch: (partition, records) => void seen.get(partition)!.push(...records),
    onFailed: (error) => expect.unreachable(error.message),
  });
  onTestFinished(() => tail.stop());
  return seen;
}

function text(records: readonly FetchedRecord[]): string[] {
  return records.map(({ value }) => Buffer.from(value!).toString());
}

describe('topics', () => {
  test('are created once, however many ask, and described', async () => {
    const driver = await connected();
    const settings = { 'retention.ms': '-1', 'message.timestamp.type': 'LogAppendTime', 'max.message.bytes': '8388608' };
    const spec = { topic: `driver-${process.pid}-once`, partitions: 12, replication: 1, settings };
    await Promise.all([driver.createTopic(spec), driver.createTopic(spec), (await connected()).createTopic(spec)]);
    await driver.createTopic(spec);
    expect(await driver.describe(spec.topic)).toEqual({
      replication: Array.from({ length: 12 }, () => 1),
      settings: expect.objectContaining(settings),
    });
    expect(await driver.offsets(spec.topic)).toEqual(Array.from({ length: 12 }, () => ({ low: 0, high: 0 })));
  });

  test('that are missing are null', async () => {
    const driver = await connected();
    expect(await driver.describe('driver-missing')).toBeNull();
    expect(await driver.offsets('driver-missing')).toBeNull();
    expect(await driver.brokers()).toBeGreaterThan(0);
  });

  test('that the brokers will not have are refused with the reason', async () => {
    const driver = await connected();
    const spec = { topic: `driver-${process.pid}-refused`, partitions: 1, replication: 9, settings: {} };
    await expect(driver.createTopic(spec)).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('INVALID_REPLICATION_FACTOR'),
    });
    const wrong = { ...spec, replication: 1, settings: { 'retention.ms': 'for ever' } };
    await expect(driver.createTopic(wrong)).rejects.toMatchObject({ code: 'config_invalid', value: wrong });
  });
});

describe('records', () => {
  test('come back whole, in the order of their partition', async () => {
    const driver = await connected();
    const topic = await newTopic(driver, 12);
    const every = Array.from({ length: 12 }, (_, partition) => partition);
    const seen = await follow(driver, topic, new Map(every.map((partition) => [partition, 0])));
    await Promise.all(
      every.map(async (partition) => {
        for (let batch = 0; batch < 5; batch += 1) {
          await driver.produce(
            topic,
            partition,
            Array.from({ length: 20 }, (_, index) => record(`${partition}/${batch * 20 + index}`)),
          );
        }
      }),
    );
    await vi.waitFor(() => expect([...seen.values()].flat()).toHaveLength(1_200), 10_000);
    for (const [partition, records] of seen) {
      expect(text(records)).toEqual(Array.from({ length: 100 }, (_, index) => `${partition}/${index}`));
      expect(records.map(({ offset }) => offset)).toEqual(Array.from({ length: 100 }, (_, index) => index));
      expect(new Set(records.map(({ term }) => term))).toEqual(new Set([0]));
    }
    expect(await driver.offsets(topic)).toEqual(every.map(() => ({ low: 0, high: 100 })));
  });

  test('keep their bytes, keys and headers, whatever they are called', async () => {
    const driver = await connected();
    const topic = await newTopic(driver, 1);
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    const headers = { traceparent: 'é🙂', empty: '', toString: 'own', ...(JSON.parse('{"__proto__":"own"}') as Record<string, string>) };
    await driver.produce(topic, 0, [{ key: 'session/é', value: bytes, headers }, record('')]);
    const seen = (await follow(driver, topic, new Map([[0, 0]]))).get(0)!;
    await vi.waitFor(() => expect(seen).toHaveLength(2), 10_000);
    expect(new Uint8Array(seen[0]!.value!)).toEqual(bytes);
    expect(Buffer.from(seen[0]!.key!).toString()).toBe('session/é');
    const read = Object.entries(seen[0]!.headers).map(([name, value]) => [name, Buffer.from(value as Uint8Array).toString()]);
    expect(new Map(read as [string, string][])).toEqual(new Map(Object.entries(headers)));
    expect(seen[1]!.value).toHaveLength(0);
  });

  test('of a batch of several megabytes are read, with others beside them', async () => {
    const driver = await connected();
    const topic = await newTopic(driver, 2, { 'max.message.bytes': '8388608' });
    const seen = await follow(driver, topic, new Map([[0, 0], [1, 0]])); // prettier-ignore
    const large = Array.from({ length: 15 }, (_, index) => record(new Uint8Array(512 * 1024).fill(index)));
    await Promise.all([0, 1].map((partition) => driver.produce(topic, partition, large)));
    await vi.waitFor(() => expect([...seen.values()].map((records) => records.length)).toEqual([15, 15]), 20_000);
    expect(seen.get(1)!.map(({ value }) => value![0])).toEqual(large.map(({ value }) => value[0]));
  });

  test('that are refused are reported as not written, and the next are written', async () => {
    const driver = await connected();
    const topic = await newTopic(driver, 1);
    const refused = (partition: number, value: DriverRecord, to = topic): Promise<unknown> =>
      driver.produce(to, partition, [value]).catch((error: unknown) => error);
    expect(await refused(7, record('a'))).toMatchObject({
      name: 'ProduceError',
      written: 'refused',
      message: expect.stringContaining('/7'),
    });
    expect(await refused(0, record('a'), 'driver-missing')).toMatchObject({
      written: 'no',
      message: expect.stringContaining('UNKNOWN_TOPIC'),
    });
    expect(await refused(0, record(new Uint8Array(2_000_000)))).toMatchObject({
      written: 'refused',
      message: expect.stringContaining('MESSAGE_TOO_LARGE'),
    });
    await driver.produce(topic, 0, [record('b')]);
    expect(await driver.offsets(topic)).toEqual([{ low: 0, high: 1 }]);
  });
});

test('a group has the members that have joined it and have not left', async () => {
  const driver = await connected();
  const topic = await newTopic(driver, 2);
  const group = `${topic}.workers`;
  expect(await driver.members(group)).toBe(0);
  const membership = await driver.join({ group, topic, sessionTimeoutMs: 6_000, onAssigned: () => {} });
  expect(await driver.members(group)).toBe(1);
  await membership.leave();
  expect(await driver.members(group)).toBe(0);
});

test.each(CLIENTS)('after close the process ends by itself, with %s', async (client) => {
  const driver = await connected();
  const topic = await newTopic(driver, 3);
  const program = `
    import { openDriver } from ${JSON.stringify(DRIVER)};
    const driver = openDriver({ brokers: ${JSON.stringify(inject('kafkaBrokers').split(','))}, clientId: 'child' }, '${client}');
    await driver.connect();
    await driver.tail({ topic: '${topic}', from: new Map([[0, 0]]), onBatch: () => {}, onFailed: () => {} });
    await driver.join({ group: '${topic}.g', topic: '${topic}', sessionTimeoutMs: 6000, onAssigned: () => {} });
    await driver.produce('${topic}', 0, [{ key: 'k', value: new Uint8Array(1), headers: {} }]);
    const closing = performance.now();
    await driver.close();
    process.on('exit', () => console.log(closing, performance.now()));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let out = '';
  let warnings = '';
  child.stdout.on('data', (chunk) => (out += String(chunk)));
  child.stderr.on('data', (chunk) => (warnings += String(chunk)));
  expect(await once(child, 'exit')).toEqual([0, null]);
  const [closing, exited] = out.split(' ').map(Number);
  expect(exited! - closing!).toBeLessThan(2_000);
  // kafkajs 2.2.4 sets a timer below zero once.
  expect(warnings).toMatch(client === 'kafkajs' ? /^(?:\(node:\d+\) TimeoutNegativeWarning: [\s\S]*)?$/ : /^$/);
});

test.skipIf(!inject('canStartKafka'))('over TLS with a password; a wrong one is no secret worth telling', async () => {
  const kafka = await startKafka({ security: 'sasl_ssl' });
  onTestFinished(() => kafka.stop());
  const ssl = { ca: [readFileSync(kafka.ca!, 'utf8')] };
  const sasl = { mechanism: 'scram-sha-512', username: kafka.username!, password: kafka.password! } as const;
  const open = (security: Partial<Parameters<typeof openDriver>[0]>, client?: (typeof CLIENTS)[number]): KafkaDriver => {
    const driver = openDriver({ brokers: [kafka.brokers], clientId: 'test', ...security }, client);
    onTestFinished(() => driver.close());
    return driver;
  };
  const driver = open({ ssl, sasl });
  await driver.connect();
  const topic = await newTopic(driver, 1);
  await driver.produce(topic, 0, [record('secret')]);
  const seen = (await follow(driver, topic, new Map([[0, 0]]))).get(0)!;
  await vi.waitFor(() => expect(text(seen)).toEqual(['secret']), 10_000);

  const group = { topic, sessionTimeoutMs: 6_000 };
  for (const client of CLIENTS) {
    const assigned: (readonly number[])[] = [];
    const onAssigned = (partitions: readonly number[]): void => void assigned.push(partitions);
    const membership = await open({ ssl, sasl }, client).join({ ...group, group: `${topic}.${client}`, onAssigned });
    await vi.waitFor(() => expect(assigned).toEqual([[0]]), 10_000);
    await membership.leave();
    const refused = open({ ssl, sasl: { ...sasl, password: 'hunter2' }, connectTimeoutMs: 3_000 }, client);
    const error: unknown = await refused.join({ ...group, group: 'refused', onAssigned: () => {} }).catch((error: unknown) => error);
    expect(error).toMatchObject({ code: 'permission_denied', message: expect.stringContaining('password was refused') });
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain('hunter2');
  }

  const wrong: unknown = await open({ ssl, sasl: { ...sasl, password: 'hunter2' } })
    .connect()
    .catch((error: unknown) => error);
  expect(wrong).toMatchObject({ code: 'permission_denied', message: expect.stringContaining(kafka.brokers) });
  expect(JSON.stringify(wrong) + String((wrong as Error).stack)).not.toContain('hunter2');
  await expect(open({ ssl: true, sasl }).connect()).rejects.toMatchObject({
    message: expect.stringContaining('certificate is not trusted'),
  });
  await expect(open({ ssl }).connect()).rejects.toMatchObject({ code: 'store_unavailable', remedy: expect.stringContaining('SASL') });
  await expect(open({ sasl }).connect()).rejects.toMatchObject({ code: 'store_unavailable', remedy: expect.stringContaining('TLS') });
});
