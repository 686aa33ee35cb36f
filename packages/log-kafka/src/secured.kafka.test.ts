// TLS and SCRAM-SHA-512, by the address of the log and by the environment.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type { NewEvent } from '@dreamfold/events';
import { sqliteReplicas } from '@dreamfold/log/sqlite';
import { beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { startKafka, type KafkaCluster } from '../../../scripts/kafka/kafka-broker.ts';
import type { KafkaLog } from './kafka-log.ts';
import { openKafkaLog } from './open-kafka-log.ts';
import { compareNodes } from './testing/agreement.ts';

const STREAM = 'session/secret';
const WRONG = 'swordfish-of-tests';

function user(text: string): NewEvent {
  return { type: 'user.message', data: { content: [{ type: 'text', text }] }, class: 'open', actor: 'user' };
}

describe.skipIf(!inject('canStartKafka'))('brokers that want TLS and a password', () => {
  let kafka: Required<KafkaCluster>;
  beforeAll(async () => {
    kafka = (await startKafka({ security: 'sasl_ssl' })) as Required<KafkaCluster>;
    return () => kafka.stop();
  });

  async function open(url: string, env: Record<string, string> = {}): Promise<KafkaLog> {
    const directory = mkdtempSync(join(tmpdir(), 'dreamfold-secured-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const log = await openKafkaLog({ url, directory, storage: sqliteReplicas, env });
    onTestFinished(() => log.close());
    return log;
  }

  test('let in who has both, by the address or by the environment', async () => {
    const { brokers, ca, username, password } = kafka;
    const byUrl = await open(`kafka://${username}:${password}@${brokers}/secured?partitions=2&ca=${ca}&sasl=scram-sha-512`);
    const byEnv = await open(`kafka://${brokers}/secured`, {
      DREAMFOLD_KAFKA_USERNAME: username,
      DREAMFOLD_KAFKA_PASSWORD: password,
      DREAMFOLD_KAFKA_CA: ca,
    });
    await byUrl.append({ stream: STREAM, id: 'a', expected: 0, events: [user('a')] });
    const { position } = await byEnv.append({ stream: STREAM, id: 'b', expected: 'any', events: [user('b')] });
    await byUrl.waitFor(position);
    expect(await compareNodes([byUrl, byEnv])).toMatchObject({ differences: [], problems: [] });
    expect((await byUrl.head(STREAM)).seq).toBe(2);
  });

  test.each<[string, (place: Required<KafkaCluster>) => [url: string, env?: Record<string, string>], object]>([
    [
      'a wrong password in the address',
      ({ username, brokers, ca }) => [`kafka://${username}:${WRONG}@${brokers}/secured?ca=${ca}`],
      { code: 'permission_denied', message: expect.stringContaining('the user name or the password was refused') },
    ],
    [
      'a wrong password in the environment',
      ({ brokers, ca, username }) => [
        `kafka://${brokers}/secured?ca=${ca}`,
        { DREAMFOLD_KAFKA_USERNAME: username, DREAMFOLD_KAFKA_PASSWORD: WRONG },
      ],
      { code: 'permission_denied', remedy: expect.stringContaining('credentials') },
    ],
    [
      'a user that is not known',
      ({ brokers, ca }) => [`kafka://nobody:${WRONG}@${brokers}/secured?ca=${ca}`],
      { code: 'permission_denied' },
    ],
    [
      'no password',
      ({ brokers, ca }) => [`kafka://${brokers}/secured?ca=${ca}`],
      { code: 'store_unavailable', remedy: expect.stringContaining('TLS or SASL') },
    ],
    [
      'plain text to the port of TLS',
      ({ brokers, username, password }) => [`kafka://${username}:${password}@${brokers}/secured?ssl=false`],
      { code: 'store_unavailable', remedy: expect.stringContaining('TLS or SASL') },
    ],
    [
      'an authority that is not known',
      ({ brokers, username, password }) => [`kafka://${username}:${password}@${brokers}/secured?ssl=true`],
      { code: 'store_unavailable', message: expect.stringContaining('certificate is not trusted'), remedy: expect.stringContaining('CA') },
    ],
    [
      'a certificate that is not there',
      ({ brokers, username, password }) => [`kafka://${username}:${password}@${brokers}/secured?ca=/nowhere.pem`],
      { code: 'config_invalid', message: expect.stringContaining('/nowhere.pem') },
    ],
    [
      'another mechanism than the broker has',
      ({ brokers, username, password, ca }) => [`kafka://${username}:${password}@${brokers}/secured?ca=${ca}&sasl=scram-sha-256`],
      { code: 'store_unavailable', remedy: expect.stringContaining('SASL') },
    ],
  ])('refuse %s within ten seconds, without a word of the password', async (_, place, expected) => {
    const begunAt = performance.now();
    const error = await open(...place(kafka)).catch((error: unknown) => error);
    expect(performance.now() - begunAt).toBeLessThan(10_000);
    expect(error).toMatchObject({ name: 'DreamfoldError', ...expected });
    const said = `${inspect(error, { depth: 20, showHidden: true })} ${JSON.stringify(error)} ${String((error as Error).stack)}`;
    for (const secret of [WRONG, kafka.password, Buffer.from(WRONG).toString('base64')]) expect(said).not.toContain(secret);
  });
});
