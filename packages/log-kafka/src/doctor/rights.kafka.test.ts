// Users who may do what they need, and no more, on brokers with Kafka's own authorizer.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Finding } from '@dreamfold/log';
import { sqliteReplicas } from '@dreamfold/log/sqlite';
import kafkajs from 'kafkajs';
import { beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { startKafka, type KafkaCluster } from '../../../../scripts/kafka/kafka-broker.ts';
import type { KafkaLog } from '../kafka-log.ts';
import { openKafkaLog } from '../open-kafka-log.ts';
import { askedRights } from './broker-findings.ts';
import { examineKafkaLog } from './examine-kafka-log.ts';
import { parseKafkaUrl } from '../kafka-url.ts';

const STREAM = 'session/x';
const EVENT = { type: 'user.message', data: { content: [{ type: 'text', text: 'x' }] }, class: 'open', actor: 'user' } as const;

describe.skipIf(!inject('canStartKafka'))('brokers with an authorizer', () => {
  let kafka: Required<KafkaCluster>;
  beforeAll(async () => {
    kafka = (await startKafka({ security: 'sasl_ssl', users: ['reader', 'writer', 'stranger'] })) as Required<KafkaCluster>;
    const log = await open(kafka.username);
    await log.append({ stream: STREAM, id: 'a', expected: 0, events: [EVENT] });
    await log.close();
    const { topics } = askedRights(parseKafkaUrl(urlOf('reader'), {}));
    for (const [topic, operations] of topics) {
      const reading = operations.filter((operation) => operation !== 'WRITE');
      await grant('reader', { type: 'TOPIC', name: topic, operations: reading });
      await grant('writer', { type: 'TOPIC', name: topic, operations });
    }
    return () => kafka.stop();
  });

  const urlOf = (user: string): string =>
    `kafka://${user}:${kafka.password}@${kafka.brokers}/acme?partitions=1&session_timeout_ms=2000&ca=${kafka.ca}`;

  function directory(): string {
    const made = mkdtempSync(join(tmpdir(), 'dreamfold-rights-'));
    onTestFinished(() => rmSync(made, { recursive: true }));
    return made;
  }

  async function open(user: string, options: { readOnly?: boolean } = {}): Promise<KafkaLog> {
    const log = await openKafkaLog({
      url: urlOf(user),
      directory: mkdtempSync(join(tmpdir(), 'dreamfold-rights-')),
      storage: sqliteReplicas,
      ...options,
    });
    return log;
  }

  /** As `kafka-acls --add` does. */
  async function grant(
    user: string,
    { type, name, operations }: { type: 'TOPIC' | 'GROUP'; name: string; operations: readonly string[] },
  ): Promise<void> {
    const { brokers, username, password, ca } = kafka;
    const sasl = { mechanism: 'scram-sha-512', username, password } as const;
    const client = new kafkajs.Kafka({ brokers: [brokers], ssl: { ca: readFileSync(ca) }, sasl, logLevel: kafkajs.logLevel.NOTHING });
    const admin = client.admin();
    await admin.connect();
    const acl = operations.map((operation) => ({
      ...{ resourceType: kafkajs.AclResourceTypes[type], resourceName: name, resourcePatternType: kafkajs.ResourcePatternTypes.LITERAL },
      ...{ principal: `User:${user}`, host: '*', permissionType: kafkajs.AclPermissionTypes.ALLOW },
      operation: kafkajs.AclOperationTypes[operation as 'READ'],
    }));
    await admin.createAcls({ acl });
    await admin.disconnect();
  }

  const examine = async (user: string): Promise<Finding[]> =>
    await examineKafkaLog({ url: urlOf(user), directory: directory(), storage: sqliteReplicas });
  const about = (findings: readonly Finding[], what: string): Partial<Finding>[] =>
    findings.filter((finding) => finding.about.startsWith(what)).map(({ about: name, state, text }) => ({ about: name, state, text }));

  test('who may only read reads, without any right to a group, and is told what else it takes', async () => {
    const log = await open('reader', { readOnly: true });
    onTestFinished(() => log.close());
    expect((await log.head(STREAM)).seq).toBe(1);
    const findings = await examine('reader');
    expect(findings.filter(({ state }) => state === 'wrong')).toEqual([]);
    expect(about(findings, 'rights')).toEqual([
      ...['events', 'keys', 'blobs'].map((topic) => ({
        about: `rights acme.${topic}`,
        state: 'note',
        text: 'this user may not WRITE: it can only read',
      })),
      ...['workers', 'dreamers'].map((group) => ({
        ...{ about: `rights acme.${group}`, state: 'note' },
        text: 'this user may not READ: it can run none of these processes',
      })),
    ]);
    expect(findings.map(({ remedy }) => remedy)).toContain(
      'Where it has to: kafka-acls --add --allow-principal "User:reader" --operation WRITE --topic acme.events',
    );
    expect(about(findings, 'clock')).toEqual([expect.objectContaining({ state: 'note', text: expect.stringContaining('do not say') })]);
  });

  test('who may write appends, and works once the group may be read', async () => {
    const log = await open('writer');
    onTestFinished(() => log.close());
    await log.append({ stream: STREAM, id: 'b', expected: 1, events: [EVENT] });
    await expect(log.partitions.join('workers', () => {})).rejects.toMatchObject({
      code: 'permission_denied',
      message: expect.stringContaining('acme.workers'),
    });
    await grant('writer', { type: 'GROUP', name: 'acme.workers', operations: ['READ'] });
    await grant('writer', { type: 'GROUP', name: 'acme.dreamers', operations: ['READ'] });
    const assigned = Promise.withResolvers<readonly number[]>();
    const member = await log.partitions.join('workers', assigned.resolve);
    expect(await assigned.promise).toEqual([0]);
    await member.leave();
    expect(about(await examine('writer'), 'rights')).toEqual([
      { about: 'rights', state: 'well', text: 'this user may read and write the log, and run workers and dreamers' },
    ]);
  });

  test('who may nothing is told so, and what the brokers say is told to who may do all', async () => {
    await expect(open('stranger')).rejects.toMatchObject({ code: 'permission_denied' });
    expect((await examine('stranger')).filter(({ state }) => state === 'wrong')).not.toEqual([]);
    const findings = await examine(kafka.username);
    expect(about(findings, 'versions')).toEqual([
      expect.objectContaining({
        state: 'well',
        text: expect.stringMatching(/^every broker knows the requests of a log, metadata\.version \d+$/),
      }),
    ]);
    const [clock] = about(findings, 'clock');
    expect(clock).toMatchObject({ state: 'well', text: expect.stringContaining("that of the brokers' controller") });
    const [, ahead, error] = /is (\d+) ms .* give or take (\d+) ms/.exec(clock!.text!)!.map(Number);
    expect(ahead).toBeLessThanOrEqual(error! + 1);
  });
});
