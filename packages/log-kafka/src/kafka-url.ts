import { isIPv4, isIPv6 } from 'node:net';
import { DreamfoldError } from '@dreamfold/events';

// kafka://[user:password@]host[:port][,host[:port]…]/prefix[?name=value&…]
//
// Read by hand: new URL() knows one host only. Nothing that may be part of a password comes into a message.

const DRIVERS = ['platformatic', 'kafkajs'] as const;
const MECHANISMS = ['scram-sha-512', 'scram-sha-256', 'plain'] as const;
const PARAMETERS = [
  'partitions',
  'replication',
  'erasure',
  'driver',
  'ssl',
  'ca',
  'sasl',
  'client_id',
  'session_timeout_ms',
  'erase_delay_ms',
] as const;
type Parameters = Partial<Record<(typeof PARAMETERS)[number], string>>;
type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_PORT = 9092;
const MAX_PARTITIONS = 1000;
const MAX_REPLICATION = 100;
const MAX_SESSION_TIMEOUT_MS = 3_600_000;
const DEFAULT_ERASE_DELAY_MS = 24 * 3_600_000;
const MAX_ERASE_DELAY_MS = 365 * 24 * 3_600_000;
/** Brokers allow 6 seconds to 30 minutes, unless they are told otherwise. */
const DEFAULT_SESSION_TIMEOUT_MS = 10_000;
const EXAMPLE = 'kafka://host:9092/prefix';

/** Where a log is on Kafka, and how to get there. */
export interface KafkaPlace {
  /** `host:port` of brokers to ask first, an IPv6 address in brackets. */
  brokers: readonly string[];
  /** What the names of its topics begin with. */
  prefix: string;
  topics: { events: string; keys: string; blobs: string; work: string };
  /** As asked for; null leaves it to the topic that is there, or to the default. */
  partitions: number | null;
  replication: number | null;
  /** Whether a log that is made here seals its payloads. */
  erasure: boolean;
  /** The client that joins the groups of workers and dreamers. */
  driver: (typeof DRIVERS)[number];
  /** How long after an erasure the keys are destroyed that open what was erased. */
  eraseDelayMs: number;
  /** Null for a connection without TLS. Without a file, the certificate authorities that Node knows. */
  tls: { caFile: string | null } | null;
  sasl: { mechanism: (typeof MECHANISMS)[number]; username: string; password: string } | null;
  clientId: string;
  /** A worker or dreamer that is silent for so long loses what it works on to the others. */
  sessionTimeoutMs: number;
}

/**
 * Reads `kafka://…`. User, password and certificate may stand in the environment instead: DREAMFOLD_KAFKA_USERNAME,
 * DREAMFOLD_KAFKA_PASSWORD, DREAMFOLD_KAFKA_CA (a file), DREAMFOLD_KAFKA_SSL (true or false). The URL goes first.
 * @throws DreamfoldError config_invalid, whose path is the part of the URL or the variable; never with the password
 */
export function parseKafkaUrl(text: string, env: Environment = {}): KafkaPlace {
  const { authority, path, query } = split(text);
  const at = authority.lastIndexOf('@');
  const parameters = readParameters(query);
  const prefix = readPrefix(path);
  const tls = readTls(parameters, env);
  return {
    brokers: authority
      .slice(at + 1)
      .split(',')
      .map(readBroker),
    prefix,
    topics: { events: `${prefix}.events`, keys: `${prefix}.keys`, blobs: `${prefix}.blobs`, work: `${prefix}.work` },
    partitions: readCount('partitions', parameters.partitions, MAX_PARTITIONS),
    replication: readCount('replication', parameters.replication, MAX_REPLICATION),
    erasure: readChoice('query/erasure', parameters.erasure, ['on', 'off']) !== 'off',
    driver: readChoice('query/driver', parameters.driver, DRIVERS) ?? 'platformatic',
    eraseDelayMs: readEraseDelay(parameters.erase_delay_ms),
    tls,
    sasl: readSasl({ userinfo: at < 0 ? null : authority.slice(0, at), mechanism: parameters.sasl, encrypted: tls !== null }, env),
    clientId: readClientId(parameters.client_id),
    sessionTimeoutMs: readCount('session_timeout_ms', parameters.session_timeout_ms, MAX_SESSION_TIMEOUT_MS) ?? DEFAULT_SESSION_TIMEOUT_MS,
  };
}

/** The URL for messages and logs: without user and password, and without what is no parameter of it. */
export function redacted(text: string): string {
  const scheme = /^[a-z]+:\/\//i.exec(text)?.[0] ?? '';
  const at = text.lastIndexOf('@');
  const shown = at < scheme.length ? text : `${scheme}***@${text.slice(at + 1)}`;
  const [place, query] = [shown.split('?', 1)[0]!, shown.slice(shown.indexOf('?') + 1)];
  if (place === shown) return shown;
  const isKnown = (one: string): boolean => PARAMETERS.some((name) => one.startsWith(`${name}=`));
  const known = query.split('&').map((one) => (isKnown(one) ? one : one.replace(/^([^=]*=)?.*$/s, '$1***')));
  return `${place}?${known.join('&')}`;
}

function invalid(path: string, problem: string, details: { value?: string; remedy: string }): DreamfoldError {
  return new DreamfoldError('config_invalid', `The address of the log on Kafka: ${problem}`, { path, ...details });
}

function split(text: string): { authority: string; path: string; query: string } {
  const rest = /^kafka:\/\/(.*)$/is.exec(text)?.[1];
  if (rest === undefined) throw invalid('scheme', 'it does not begin with kafka://', { remedy: `Write ${EXAMPLE}.` });
  const encode =
    'Write %2F for /, %3F for ?, %23 for #, %40 for @ and %20 for a space in a user name or password; see encodeURIComponent().';
  if (/[/?#].*@|@.*@/s.test(rest)) throw invalid('user', 'user or password hold a / ? # or @', { remedy: encode });
  if (/[\s\p{Cc}]/u.test(rest)) throw invalid('text', 'it holds a space or a control character', { remedy: encode });
  const [, authority, path, query, fragment] = /^([^/?#]*)([^?#]*)(?:\?([^#]*))?(#.*)?$/.exec(rest)!;
  if (fragment !== undefined) throw invalid('fragment', 'it has a part after #', { value: fragment, remedy: 'Leave it out.' });
  return { authority: authority!, path: path!, query: query ?? '' };
}

function readBroker(text: string, index: number): string {
  const [, address, name, port] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/.exec(text) ?? [];
  const remedy = 'Write host:port or [IPv6 address]:port, several with a comma between them.';
  // Without its @, what follows the colon would be the password.
  const value = text.startsWith('[') ? text : text.split(':', 1)[0]!;
  const wrong = (problem: string): DreamfoldError => invalid(`hosts/${index}`, problem, { value, remedy });
  if (address === undefined ? !isHostName(name ?? '') : !isIPv6(address) || address.includes('%'))
    throw wrong('a host is no name or address');
  if (port !== undefined && !(/^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65_535)) throw wrong('a port is no number from 1 to 65535');
  return `${address === undefined ? name : `[${address}]`}:${port ?? DEFAULT_PORT}`;
}

/** Names with an underscore are used in container networks. */
function isHostName(text: string): boolean {
  if (/^[\d.]+$/.test(text)) return isIPv4(text);
  return text.length <= 253 && text.split('.').every((label) => /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)$/.test(label));
}

function readPrefix(path: string): string {
  const prefix = path.slice(1);
  if (/^[a-z0-9][a-z0-9._-]{0,99}$/.test(prefix)) return prefix;
  throw invalid('prefix', prefix === '' ? 'it names no prefix for its topics' : 'its prefix is no beginning of topic names', {
    value: prefix,
    remedy: `Write one after the hosts: ${EXAMPLE}. It begins with a-z or 0-9, and has up to 100 of a-z, 0-9, dot, _ and -.`,
  });
}

function readParameters(query: string): Parameters {
  const parameters: Parameters = {};
  for (const one of query === '' ? [] : query.split('&')) {
    const [, key, encoded] = /^([^=]*)(?:=(.*))?$/.exec(one)!;
    const name = PARAMETERS.find((known) => known === key);
    // Of what is no parameter only the name is shown: the value may be a password.
    if (name === undefined) {
      throw invalid(`query/${key}`, `it has no parameter ${key}`, { remedy: `Leave it out; there are ${PARAMETERS.join(', ')}.` });
    }
    if (parameters[name] !== undefined) throw invalid(`query/${name}`, `${name} stands twice`, { remedy: 'Keep one of the two.' });
    parameters[name] = decode(encoded ?? '', `query/${name}`);
  }
  return parameters;
}

function decode(text: string, path: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(path, 'a % is not followed by two hexadecimal digits of UTF-8', { remedy: 'Write %25 for %; see encodeURIComponent().' });
  }
}

function readCount(name: 'partitions' | 'replication' | 'session_timeout_ms', text: string | undefined, most: number): number | null {
  if (text === undefined) return null;
  if (/^[1-9]\d{0,8}$/.test(text) && Number(text) <= most) return Number(text);
  throw invalid(`query/${name}`, `${name} is no number from 1 to ${most}`, { value: text, remedy: `Write ${name}=3, for example.` });
}

/** 0 destroys them before the erasure is acknowledged. */
function readEraseDelay(text: string | undefined): number {
  if (text === undefined) return DEFAULT_ERASE_DELAY_MS;
  if (/^(?:0|[1-9]\d{0,10})$/.test(text) && Number(text) <= MAX_ERASE_DELAY_MS) return Number(text);
  throw invalid('query/erase_delay_ms', `erase_delay_ms is no number from 0 to ${MAX_ERASE_DELAY_MS}`, {
    value: text,
    remedy: 'Write erase_delay_ms=3600000 for an hour, for example.',
  });
}

function readChoice<T extends string>(path: string, text: string | undefined, choices: readonly T[]): T | undefined {
  const choice = choices.find((one) => one === text);
  if (text === undefined || choice !== undefined) return choice;
  throw invalid(path, `${path.replace('query/', '')} is none of ${choices.join(', ')}`, {
    value: text,
    remedy: `Write ${choices.join(' or ')}.`,
  });
}

function readClientId(text: string | undefined): string {
  if (text === undefined) return 'dreamfold';
  if (/^[A-Za-z0-9._-]{1,100}$/.test(text)) return text;
  throw invalid('query/client_id', 'client_id is no name', { value: text, remedy: 'Use up to 100 letters, digits, dots, _ and -.' });
}

function readTls(parameters: Parameters, env: Environment): KafkaPlace['tls'] {
  const ssl =
    readChoice('query/ssl', parameters.ssl, ['true', 'false']) ??
    readChoice('DREAMFOLD_KAFKA_SSL', env['DREAMFOLD_KAFKA_SSL'] || undefined, ['true', 'false']);
  const caFile = parameters.ca ?? (env['DREAMFOLD_KAFKA_CA'] || null);
  if (parameters.ca === '') throw invalid('query/ca', 'ca names no file', { remedy: 'Write ca=/path/to/ca.pem.' });
  if (ssl === 'false' && parameters.ca !== undefined) {
    throw invalid('query/ca', 'it names a certificate authority, and TLS is off', {
      value: parameters.ca,
      remedy: 'Write ssl=true, or leave ca out.',
    });
  }
  return ssl === 'false' || (ssl === undefined && caFile === null) ? null : { caFile };
}

function readSasl(
  { userinfo, mechanism: named, encrypted }: { userinfo: string | null; mechanism: string | undefined; encrypted: boolean },
  env: Environment,
): KafkaPlace['sasl'] {
  const mechanism = readChoice('query/sasl', named, MECHANISMS) ?? 'scram-sha-512';
  const [, user, secret] = /^([^:]*)(?::(.*))?$/.exec(userinfo ?? '')!;
  if (userinfo !== null && user === '')
    throw invalid('user', 'there is no user name before the @', { remedy: 'Write user:password@host, or leave the @ out.' });
  const username = (userinfo === null ? env['DREAMFOLD_KAFKA_USERNAME'] : decode(user!, 'user')) || undefined;
  const password = (secret === undefined ? env['DREAMFOLD_KAFKA_PASSWORD'] : decode(secret, 'password')) || undefined;
  const remedy = 'Set DREAMFOLD_KAFKA_USERNAME and DREAMFOLD_KAFKA_PASSWORD, or write user:password@ before the host.';
  if (username === undefined && (password !== undefined || named !== undefined))
    throw invalid('user', 'there is no user name to log in with', { remedy });
  if (username === undefined) return null;
  if (password === undefined) throw invalid('password', 'there is a user name and no password', { remedy });
  if (mechanism === 'plain' && !encrypted) {
    throw invalid('query/sasl', 'sasl=plain sends the password as it is, and TLS is off', {
      value: 'plain',
      remedy: 'Write ssl=true, or sasl=scram-sha-512.',
    });
  }
  return { mechanism, username, password };
}
