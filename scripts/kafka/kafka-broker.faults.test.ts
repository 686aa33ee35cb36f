import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { findKafkaTools, type KafkaCluster, type KafkaOptions, startKafka } from './kafka-broker.ts';

type KafkaJs = typeof import('../../packages/log-kafka/node_modules/kafkajs/types/index.js');
type Kafka = InstanceType<KafkaJs['Kafka']>;
type KafkaConfig = ConstructorParameters<KafkaJs['Kafka']>[0];

const ROOT = join(import.meta.dirname, '../..');
const TOPIC = 'kept';
const kafkajs = createRequire(join(ROOT, 'packages/log-kafka/package.json'))('kafkajs') as KafkaJs;

function client(brokers: string, config: Partial<KafkaConfig> = {}): Kafka {
  return new kafkajs.Kafka({ brokers: brokers.split(','), logLevel: kafkajs.logLevel.NOTHING, retry: { retries: 5 }, ...config });
}

async function start(options: KafkaOptions): Promise<KafkaCluster> {
  const cluster = await startKafka(options);
  onTestFinished(() => cluster.stop());
  return cluster;
}

async function connected<T extends { connect(): Promise<void>; disconnect(): Promise<void> }>(part: T): Promise<T> {
  onTestFinished(() => part.disconnect());
  await part.connect();
  return part;
}

async function listens(broker: string): Promise<boolean> {
  const [host, port] = broker.split(':');
  const socket = connect(Number(port), host);
  return once(socket, 'connect').then(
    () => socket.destroy() === socket,
    () => false,
  );
}

async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  await vi.waitFor(async () => expect(await holds()).toBe(true), { timeout: 30_000, interval: 50 });
}

async function createTopic(kafka: Kafka, replicationFactor: number): Promise<void> {
  const admin = await connected(kafka.admin());
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 1, replicationFactor }], waitForLeaders: true });
}

async function produce(kafka: Kafka, ...values: string[]): Promise<void> {
  const producer = await connected(kafka.producer());
  await producer.send({ topic: TOPIC, acks: -1, messages: values.map((value) => ({ value })) });
}

/** Reads the only partition of the topic up to `count` records. */
async function read(kafka: Kafka, count: number): Promise<string[]> {
  const consumer = await connected(kafka.consumer({ groupId: 'readers' }));
  await consumer.subscribe({ topic: TOPIC, fromBeginning: true });
  const values: string[] = [];
  await consumer.run({ eachMessage: async ({ message }) => void values.push(String(message.value)) });
  await eventually(() => values.length >= count);
  return values;
}

test('the broker that the files share answers', async () => {
  const admin = await connected(client(inject('kafkaBrokers')).admin());
  expect((await admin.describeCluster()).brokers.length).toBeGreaterThan(0);
});

test('what is missing is named', () => {
  vi.stubEnv('JAVA_HOME', '/nowhere');
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(findKafkaTools()).toEqual({ ok: false, missing: expect.stringMatching(/^Java >= 17 /) });
});

describe.skipIf(!inject('canStartKafka'))('a broker of its own', () => {
  test('keeps what was acknowledged through kill -9', async () => {
    const cluster = await start({ sessionTimeoutMs: 1000 });
    const kafka = client(cluster.brokers);
    await createTopic(kafka, 1);
    await produce(kafka, 'one', 'two');
    await cluster.node(1).kill();
    expect(await listens(cluster.brokers)).toBe(false);
    await cluster.node(1).start();
    expect(await read(kafka, 2)).toEqual(['one', 'two']);
  });

  test('keeps its data in a directory that is named', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'dreamfold-named-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const first = await start({ directory });
    await createTopic(client(first.brokers), 1);
    await first.stop();
    const second = await start({ directory });
    const admin = await connected(client(second.brokers).admin());
    expect(await admin.listTopics()).toContain(TOPIC);
    await second.stop({ wipe: true });
    expect(existsSync(directory)).toBe(false);
  });

  test('says nothing while it is suspended', async () => {
    const cluster = await start({});
    const admin = await connected(client(cluster.brokers).admin());
    cluster.node(1).suspend();
    const answer = admin.listTopics();
    expect(await Promise.race([answer, sleep(1000, 'silence')])).toBe('silence');
    cluster.node(1).resume();
    expect(await answer).toEqual([]);
  });

  test('is gone, with its data, after kill -9 of the process that started it', async () => {
    const temporary = mkdtempSync(join(tmpdir(), 'dreamfold-parent-'));
    onTestFinished(() => rmSync(temporary, { recursive: true }));
    const { parent, brokers } = await command({ TMPDIR: temporary });
    expect(await listens(brokers)).toBe(true);
    expect(readdirSync(temporary)).toHaveLength(1);
    parent.kill('SIGKILL');
    await eventually(async () => !(await listens(brokers)));
    await eventually(() => readdirSync(temporary).length === 0);
  });

  test('ends with the command that started it', async () => {
    const temporary = mkdtempSync(join(tmpdir(), 'dreamfold-command-'));
    onTestFinished(() => rmSync(temporary, { recursive: true }));
    const { parent, brokers } = await command({ TMPDIR: temporary });
    parent.kill('SIGINT');
    expect(await once(parent, 'exit')).toEqual([0, null]);
    expect(await listens(brokers)).toBe(false);
    expect(readdirSync(temporary)).toEqual([]);
  });
});

async function command(env: Record<string, string>): Promise<{ parent: ChildProcess; brokers: string }> {
  const parent = spawn(process.execPath, [join(import.meta.dirname, 'kafka-broker.ts')], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void parent.kill('SIGKILL'));
  const [line] = (await once(createInterface(parent.stdout), 'line')) as [string];
  return { parent, brokers: /^DREAMFOLD_LOG=kafka:\/\/([^/]+)\/dreamfold$/.exec(line)![1]! };
}

describe.skipIf(!inject('canStartKafka'))('a cluster of its own', () => {
  test('of three nodes goes on without one of them', async () => {
    const cluster = await start({ nodes: 3, sessionTimeoutMs: 1000 });
    expect(cluster.brokers.split(',')).toHaveLength(3);
    for (const broker of cluster.brokers.split(',')) {
      const admin = await connected(client(broker).admin());
      expect((await admin.describeCluster()).brokers).toHaveLength(3);
    }
    const kafka = client(cluster.brokers, { retry: { retries: 20, maxRetryTime: 500 } });
    await createTopic(kafka, 3);
    await produce(kafka, 'with three');
    const admin = await connected(kafka.admin());
    const [partition] = (await admin.fetchTopicMetadata({ topics: [TOPIC] })).topics[0]!.partitions;
    expect(new Set(partition!.replicas)).toEqual(new Set([1, 2, 3]));
    await cluster.node(partition!.leader).kill();
    await produce(kafka, 'with two');
    await cluster.node(partition!.leader).start();
    expect(await admin.fetchTopicOffsets(TOPIC)).toMatchObject([{ low: '0', high: '2' }]);
    expect(() => cluster.node(4)).toThrow('There is no node 4: they are 1 to 3.');
  });

  test('with sasl_ssl lets nobody in but its user over TLS', async () => {
    const { brokers, ca, username, password } = await start({ security: 'sasl_ssl' });
    const ssl = { ca: [readFileSync(ca!, 'utf8')] };
    // A new object each time: kafkajs keeps its authenticator, with the first password, in the object.
    const sasl = (secret: string) => ({ mechanism: 'scram-sha-512', username: username!, password: secret }) as const;
    const topics = async (config: Partial<KafkaConfig>): Promise<string[]> => {
      const admin = await connected(client(brokers, { retry: { retries: 0 }, ...config }).admin());
      return admin.listTopics();
    };
    expect(await topics({ ssl, sasl: sasl(password!) })).toEqual([]);
    await expect(topics({ ssl, sasl: sasl('wrong') })).rejects.toThrow('SASL SCRAM SHA512 authentication failed');
    await expect(topics({ ssl: true, sasl: sasl(password!) })).rejects.toThrow('self-signed certificate');
    await expect(topics({ ssl })).rejects.toThrow('Closed connection');
    await expect(topics({})).rejects.toThrow('Closed connection');
  });
});
