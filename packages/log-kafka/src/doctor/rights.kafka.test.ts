// Users who may do what they need, and no more, on brokers with Kafka's own authorizer.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Finding } from '@dreamfold/log';
import { sqliteReplicas } from '@dreamfold/log/sqlite';
import { beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { allow, type Grant } from '../../../../scripts/kafka/access-control.ts';
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
  const folder = mkdtempSync(join(tmpdir(), 'dreamfold-rights-'));
  beforeAll(async () => {
    kafka = (await startKafka({ security: 'sasl_ssl', users: ['reader', 'writer', 'partial', 'stranger'] })) as Required<KafkaCluster>;
    const log = await open(kafka.username);
    await log.append({ stream: STREAM, id: 'a', expected: 0, events: [EVENT] });
    await log.close();
    const { topics } = askedRights(parseKafkaUrl(urlOf('reader'), {}));
    const grants = [...topics].flatMap(([name, operations]): Grant[] => [
      { user: 'reader', type: 'TOPIC', name, operations: operations.filter((operation) => operation !== 'WRITE') },
      { user: 'writer', type: 'TOPIC', name, operations },
    ]);
    // Brokers answer first of what may be looked at.
    await allow({ kafka, grants: [...grants, { user: 'partial', type: 'TOPIC', name: 'acme.blobs', operations: ['READ', 'WRITE'] }] });
    return async () => {
      await kafka.stop();
      rmSync(folder, { recursive: true });
    };
  });

  const urlOf = (user: string): string =>
    `kafka://${user}:${kafka.password}@${kafka.brokers}/acme?partitions=1&session_timeout_ms=2000&ca=${kafka.ca}`;

  const directory = (): string => mkdtempSync(join(folder, 'node-'));

  async function open(user: string, options: { readOnly?: boolean } = {}): Promise<KafkaLog> {
    return await openKafkaLog({ url: urlOf(user), directory: directory(), storage: sqliteReplicas, ...options });
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
    const groups = ['acme.workers', 'acme.dreamers'];
    await allow({ kafka, grants: groups.map((name) => ({ user: 'writer', type: 'GROUP', name, operations: ['READ'] })) });
    const assigned = Promise.withResolvers<readonly number[]>();
    const member = await log.partitions.join('workers', assigned.resolve);
    expect(await assigned.promise).toEqual([0]);
    await member.leave();
    expect(about(await examine('writer'), 'rights')).toEqual([
      { about: 'rights', state: 'well', text: 'this user may read and write the log, and run workers and dreamers' },
    ]);
  });

  test('who may not even look at some of the topics is told of each what it lacks, and how it is granted', async () => {
    const findings = await examine('partial');
    const text = (lacks: string): string => `this user may not ${lacks}: it can't open the log`;
    expect(about(findings, 'rights').slice(0, 4)).toEqual([
      { about: 'rights acme.events', state: 'wrong', text: text('READ, WRITE, DESCRIBE_CONFIGS') },
      { about: 'rights acme.keys', state: 'wrong', text: text('READ, WRITE, DESCRIBE_CONFIGS') },
      { about: 'rights acme.blobs', state: 'wrong', text: text('DESCRIBE_CONFIGS') },
      { about: 'rights acme.work', state: 'wrong', text: text('READ, DESCRIBE_CONFIGS') },
    ]);
    const operations = ['READ', 'WRITE', 'DESCRIBE_CONFIGS'].map((operation) => `--operation ${operation}`).join(' ');
    expect(findings.map(({ remedy }) => remedy)).toContain(
      `Where it has to: kafka-acls --add --allow-principal "User:partial" ${operations} --topic acme.events`,
    );
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
