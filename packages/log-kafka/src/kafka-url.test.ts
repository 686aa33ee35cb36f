import { isDreamfoldError, type DreamfoldError } from '@dreamfold/events';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseKafkaUrl, redacted, type KafkaPlace } from './kafka-url.ts';

type Environment = Record<string, string | undefined>;

const PLAIN: KafkaPlace = {
  brokers: ['broker:9092'],
  prefix: 'p',
  topics: { events: 'p.events', keys: 'p.keys', blobs: 'p.blobs', work: 'p.work' },
  partitions: null,
  replication: null,
  erasure: true,
  driver: 'platformatic',
  tls: null,
  sasl: null,
  clientId: 'dreamfold',
  sessionTimeoutMs: 10_000,
  eraseDelayMs: 86_400_000,
};
const SECRET = 'hunter2';
const LOGIN = { DREAMFOLD_KAFKA_USERNAME: 'u', DREAMFOLD_KAFKA_PASSWORD: SECRET };
const sasl = { mechanism: 'scram-sha-512' as const, username: 'u', password: SECRET };

describe('a good URL', () => {
  test.each<[string, Partial<KafkaPlace>, Environment?]>([
    ['kafka://broker/p', {}],
    ['KAFKA://broker:9092/p', {}],
    ['kafka://broker:1/p', { brokers: ['broker:1'] }],
    ['kafka://a.b-c.example:65535,d_e,10.0.0.1/p', { brokers: ['a.b-c.example:65535', 'd_e:9092', '10.0.0.1:9092'] }],
    ['kafka://[::1],[2001:db8::1]:9093/p', { brokers: ['[::1]:9092', '[2001:db8::1]:9093'] }],
    ['kafka://broker/p?erase_delay_ms=0', { eraseDelayMs: 0 }],
    ['kafka://broker/p?erase_delay_ms=3600000', { eraseDelayMs: 3_600_000 }],
    [
      'kafka://broker/p?partitions=24&replication=3&erasure=off&client_id=node-1&session_timeout_ms=30000',
      { partitions: 24, replication: 3, erasure: false, clientId: 'node-1', sessionTimeoutMs: 30_000 },
    ],
    ['kafka://broker/p?erasure=on', {}],
    ['kafka://broker/p?driver=platformatic', {}],
    ['kafka://broker/p?driver=kafkajs', { driver: 'kafkajs' }],
    ['kafka://broker/p?ssl=true', { tls: { caFile: null } }],
    ['kafka://broker/p?ssl=false', {}],
    ['kafka://broker/p?ca=/etc/a%20b.pem', { tls: { caFile: '/etc/a b.pem' } }],
    ['kafka://broker/p?ssl=true&ca=ca.pem', { tls: { caFile: 'ca.pem' } }],
    ['kafka://broker/p', { tls: { caFile: null } }, { DREAMFOLD_KAFKA_SSL: 'true' }],
    ['kafka://broker/p', { tls: { caFile: '/ca.pem' } }, { DREAMFOLD_KAFKA_CA: '/ca.pem' }],
    ['kafka://broker/p', { tls: null }, { DREAMFOLD_KAFKA_CA: '/ca.pem', DREAMFOLD_KAFKA_SSL: 'false' }],
    ['kafka://broker/p?ssl=false', { tls: null }, { DREAMFOLD_KAFKA_CA: '/ca.pem', DREAMFOLD_KAFKA_SSL: 'true' }],
    ['kafka://broker/p?ca=/mine', { tls: { caFile: '/mine' } }, { DREAMFOLD_KAFKA_CA: '/ca.pem' }],
    [
      'kafka://broker/p',
      {},
      { DREAMFOLD_KAFKA_CA: '', DREAMFOLD_KAFKA_SSL: '', DREAMFOLD_KAFKA_USERNAME: '', DREAMFOLD_KAFKA_PASSWORD: '' },
    ],
    [`kafka://u:${SECRET}@broker/p`, { sasl }],
    [`kafka://u:${SECRET}@broker,other:9/p`, { sasl, brokers: ['broker:9092', 'other:9'] }],
    ['kafka://a%40b:p%3A%2F%3F%23%40%2C%20:%25@broker/p', { sasl: { ...sasl, username: 'a@b', password: 'p:/?#@, :%' } }],
    ['kafka://broker/p', { sasl }, LOGIN],
    ['kafka://me@broker/p', { sasl: { ...sasl, username: 'me' } }, LOGIN],
    ['kafka://me:mine@broker/p', { sasl: { ...sasl, username: 'me', password: 'mine' } }, LOGIN],
    ['kafka://broker/p?sasl=scram-sha-256', { sasl: { ...sasl, mechanism: 'scram-sha-256' } }, LOGIN],
    ['kafka://broker/p?sasl=plain&ssl=true', { sasl: { ...sasl, mechanism: 'plain' }, tls: { caFile: null } }, LOGIN],
  ])('%s', (url, expected, env) => {
    expect(parseKafkaUrl(url, env)).toEqual({ ...PLAIN, ...expected });
  });

  test('has any prefix that makes a topic name', () => {
    for (const prefix of ['a', '0', 'a.b_c-d', 'a'.repeat(100)])
      expect(parseKafkaUrl(`kafka://broker/${prefix}`).topics.events).toBe(`${prefix}.events`);
  });
});

function problemOf(url: string, env?: Environment): DreamfoldError {
  try {
    parseKafkaUrl(url, env);
  } catch (error) {
    if (isDreamfoldError(error, 'config_invalid')) return error;
    throw error;
  }
  throw new Error(`${url} was accepted`);
}

describe('a bad URL is refused, with the part that is bad and what to do', () => {
  test.each<[path: string, url: string, env?: Environment]>([
    ['scheme', ''],
    ['scheme', 'broker:9092'],
    ['scheme', 'kafka:'],
    ['scheme', 'kafka:/broker/p'],
    ['scheme', 'kafkas://broker/p'],
    ['scheme', 'http://broker/p'],
    ['scheme', ' kafka://broker/p'],
    ['text', 'kafka://broker/p '],
    ['text', 'kafka://broker/p\n'],
    ['text', 'kafka://bro\u0000ker/p'],
    ['text', 'kafka://bro ker/p'],
    ['query/driver', 'kafka://broker/p?driver='],
    ['query/driver', 'kafka://broker/p?driver=rdkafka'],
    ['hosts/0', 'kafka:///p'],
    ['hosts/0', 'kafka://,b/p'],
    ['hosts/1', 'kafka://a,/p'],
    ['hosts/1', 'kafka://a,,b/p'],
    ['hosts/0', 'kafka://:9092/p'],
    ['hosts/0', 'kafka://broker:/p'],
    ['hosts/0', 'kafka://broker:0/p'],
    ['hosts/0', 'kafka://broker:65536/p'],
    ['hosts/0', 'kafka://broker:-1/p'],
    ['hosts/0', 'kafka://broker:09092/p'],
    ['hosts/0', 'kafka://broker:9092x/p'],
    ['hosts/0', 'kafka://broker:9092:9093/p'],
    ['hosts/1', 'kafka://a:1,b:x/p'],
    ['hosts/0', 'kafka://::1/p'],
    ['hosts/0', 'kafka://[::1/p'],
    ['hosts/0', 'kafka://::1]:9092/p'],
    ['hosts/0', 'kafka://[]:9092/p'],
    ['hosts/0', 'kafka://[1.2.3.4]:9092/p'],
    ['hosts/0', 'kafka://[::g]:9092/p'],
    ['hosts/0', 'kafka://[fe80::1%25eth0]:9092/p'],
    ['hosts/0', 'kafka://[::1]9092/p'],
    ['hosts/0', 'kafka://1.2.3.4.5/p'],
    ['hosts/0', 'kafka://1.2.3.256/p'],
    ['hosts/0', 'kafka://-a/p'],
    ['hosts/0', 'kafka://a..b/p'],
    ['hosts/0', 'kafka://a%2Fb/p'],
    ['hosts/0', 'kafka://köln/p'],
    ['hosts/0', `kafka://${'a'.repeat(64)}/p`],
    ['hosts/0', `kafka://${'a.'.repeat(130)}a/p`],
    ['prefix', 'kafka://broker'],
    ['prefix', 'kafka://broker/'],
    ['prefix', 'kafka://broker?ssl=true'],
    ['prefix', 'kafka://broker/P'],
    ['prefix', 'kafka://broker/.'],
    ['prefix', 'kafka://broker/..'],
    ['prefix', 'kafka://broker/-a'],
    ['prefix', 'kafka://broker/a/b'],
    ['prefix', 'kafka://broker/a/'],
    ['prefix', 'kafka://broker//a'],
    ['prefix', 'kafka://broker/a%2e'],
    ['prefix', 'kafka://broker/ä'],
    ['prefix', `kafka://broker/${'a'.repeat(101)}`],
    ['fragment', 'kafka://broker/p#part'],
    ['fragment', 'kafka://broker/p?ssl=true#'],
    ['query/partitions', 'kafka://broker/p?partitions='],
    ['query/partitions', 'kafka://broker/p?partitions'],
    ['query/partitions', 'kafka://broker/p?partitions=0'],
    ['query/partitions', 'kafka://broker/p?partitions=-1'],
    ['query/partitions', 'kafka://broker/p?partitions=1.5'],
    ['query/partitions', 'kafka://broker/p?partitions=1e1'],
    ['query/partitions', 'kafka://broker/p?partitions=1001'],
    ['query/partitions', 'kafka://broker/p?partitions=3&partitions=3'],
    ['query/replication', 'kafka://broker/p?replication=x'],
    ['query/replication', 'kafka://broker/p?replication=101'],
    ['query/erasure', 'kafka://broker/p?erasure=true'],
    ['query/erasure', 'kafka://broker/p?erasure=OFF'],
    ['query/ssl', 'kafka://broker/p?ssl=yes'],
    ['query/ssl', 'kafka://broker/p?ssl='],
    ['query/ca', 'kafka://broker/p?ca='],
    ['query/ca', 'kafka://broker/p?ca=%zz'],
    ['query/ca', 'kafka://broker/p?ca=%ff'],
    ['query/ca', 'kafka://broker/p?ssl=false&ca=/ca.pem'],
    ['query/client_id', 'kafka://broker/p?client_id='],
    ['query/session_timeout_ms', 'kafka://broker/p?session_timeout_ms=0'],
    ['query/session_timeout_ms', 'kafka://broker/p?session_timeout_ms=10s'],
    ['query/erase_delay_ms', 'kafka://broker/p?erase_delay_ms=24h'],
    ['query/erase_delay_ms', 'kafka://broker/p?erase_delay_ms=-1'],
    ['query/erase_delay_ms', 'kafka://broker/p?erase_delay_ms=31536000001'],
    ['query/client_id', 'kafka://broker/p?client_id=a%20b'],
    ['query/Partitions', 'kafka://broker/p?Partitions=3'],
    ['query/toString', 'kafka://broker/p?toString=3'],
    ['query/', 'kafka://broker/p?ssl=true&'],
    ['query/', 'kafka://broker/p?=1'],
    ['query/password', `kafka://broker/p?password=${SECRET}`],
    ['query/sasl', `kafka://u:${SECRET}@broker/p?sasl=gssapi`],
    ['query/sasl', `kafka://u:${SECRET}@broker/p?sasl=SCRAM-SHA-512`],
    ['query/sasl', `kafka://u:${SECRET}@broker/p?sasl=plain`],
    ['user', 'kafka://broker/p?sasl=scram-sha-512'],
    ['user', 'kafka://@broker/p'],
    ['user', `kafka://:${SECRET}@broker/p`],
    ['user', `kafka://%zz:${SECRET}@broker/p`],
    ['user', 'kafka://broker/p', { DREAMFOLD_KAFKA_PASSWORD: SECRET }],
    ['password', 'kafka://u@broker/p'],
    ['password', 'kafka://u:@broker/p'],
    ['password', `kafka://u:%${SECRET}@broker/p`],
    ['password', 'kafka://broker/p', { DREAMFOLD_KAFKA_USERNAME: 'u' }],
    // Not encoded: a part of the password would be taken for a host, a prefix or a parameter.
    ['user', `kafka://u:${SECRET}/${SECRET}@broker/p`],
    ['user', `kafka://u:${SECRET}?${SECRET}@broker/p`],
    ['user', `kafka://u:${SECRET}#${SECRET}@broker/p`],
    ['user', `kafka://u:${SECRET}@${SECRET}@broker/p`],
    ['user', `kafka://u:${SECRET}@a,u:${SECRET}@b/p`],
    ['text', `kafka://u:${SECRET} ${SECRET}@broker/p`],
    ['hosts/0', `kafka://u:${SECRET}/p`],
    ['hosts/0', `kafka://u:${SECRET}@/p`],
    ['prefix', `kafka://u:${SECRET}@broker`],
    ['DREAMFOLD_KAFKA_SSL', 'kafka://broker/p', { DREAMFOLD_KAFKA_SSL: 'yes' }],
  ])('%s: %s', (path, url, env) => {
    const problem = problemOf(url, env);
    expect(problem.path).toBe(path);
    expect(problem.remedy).toMatch(/^[A-Z].*\.$/s);
    expect(JSON.stringify({ ...problem.toJSON(), stack: problem.stack })).not.toContain(SECRET);
  });

  test('also of anything at all, and never with another error', () => {
    const piece = fc.oneof(
      fc.constantFrom('kafka://', '@', ':', '/', '?', '&', '=', '#', '[', ']', '%', ',', 'a', '1', 'ssl=true'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const url = pieces.join('');
        try {
          expect(parseKafkaUrl(url).prefix).toMatch(/^[a-z0-9]/);
        } catch (error) {
          expect(isDreamfoldError(error, 'config_invalid')).toBe(true);
        }
        redacted(url);
      }),
    );
  });
});

describe('redacted', () => {
  test.each([
    ['kafka://a:1,b/p?ssl=true&ca=/x', 'kafka://a:1,b/p?ssl=true&ca=/x'],
    [`kafka://u:${SECRET}@a,b/p?ssl=true`, 'kafka://***@a,b/p?ssl=true'],
    [`kafka://u:${SECRET}/${SECRET}?${SECRET}@a/p`, 'kafka://***@a/p'],
    [`kafka://u:${SECRET}@${SECRET}@a/p`, 'kafka://***@a/p'],
    [`kafka://a/p?password=${SECRET}&ssl=true&${SECRET}`, 'kafka://a/p?password=***&ssl=true&***'],
    [`kafak://u:${SECRET}@a/p`, 'kafak://***@a/p'],
    [`u:${SECRET}@a/p`, '***@a/p'],
    ['', ''],
  ])('%s', (url, shown) => {
    expect(redacted(url)).toBe(shown);
  });

  test('keeps whatever stands before the last @ to itself', () => {
    fc.assert(
      fc.property(fc.string(), (before) => {
        const shown = redacted(`kafka://${before}${SECRET}${before}@broker/p`);
        expect(shown).not.toContain(SECRET);
      }),
    );
  });
});
