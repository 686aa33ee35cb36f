import { CATALOGUE, EVENT_VERSION, type EventType } from '../packages/events/src/index.ts';
import * as events from '../packages/events/src/index.ts';
import { z } from 'zod';
import { StoredTree } from '../packages/log-kafka/src/erasure/key-tree.ts';
import { topicSpecs } from '../packages/log-kafka/src/topics/topics-spec.ts';

// The AsyncAPI 3.0.0 document of a log's topics, from the same catalogue and settings that the log is made with.

type Json = Record<string, unknown>;

/** What the source says of a schema: above it, and above its fields. */
export interface SchemaWords {
  doc: string;
  fields: ReadonlyMap<string, string>;
}

export interface AsyncApiOptions {
  version: string;
  wordsOf: (schema: z.ZodType) => SchemaWords | undefined;
}

const TOPICS = { events: '{prefix}.events', keys: '{prefix}.keys', blobs: '{prefix}.blobs', work: '{prefix}.work' };

const CHANNELS: Record<keyof typeof TOPICS, string> = {
  events: `Every event of the log, in the partition of its stream. A record is an event when its envelope, hash and payload fit together; whether it
counts is decided by every reader alike, from the records that stand before it: see docs/how-it-works.md. Payloads of a log with erasure are sealed.`,
  keys: 'The keys that payloads are sealed with, one tree of keys for each stream and writer. The newest record of a key holds; compaction deletes the others.',
  blobs:
    'What is too large for an event, in chunks. A blob is there when all chunks of one put of it have come, and come to the sha-256 that is its key.',
  work: 'Holds no records: consumer groups share out its partitions, which says whose sessions are whose.',
};

const ref = (kind: 'schemas' | 'messages', name: string): { $ref: string } => ({ $ref: `#/components/${kind}/${name}` });
const text = (description: string, more: Json = {}): Json => ({ type: 'string', description, ...more });

/** Schemas of what callers hand over. */
const NO_EVENTS = ['FilePath', 'Text'];

/** The names of all schemas: the exported one, or the type of the event. */
function schemaNames(): Map<z.ZodType, string> {
  const exported = Object.entries<unknown>(events).filter(
    (entry): entry is [string, z.ZodType] => entry[1] instanceof z.ZodType && !NO_EVENTS.includes(entry[0]),
  );
  const names = new Map([...exported, ['KeyTree', StoredTree] as const].map(([name, schema]) => [schema, name]));
  for (const [type, schema] of Object.entries<z.ZodType>(CATALOGUE)) if (!names.has(schema)) names.set(schema, type);
  return names;
}

function schemas(names: ReadonlyMap<z.ZodType, string>, wordsOf: AsyncApiOptions['wordsOf']): Json {
  const registry = z.registry<{ id?: string }>();
  for (const [schema, id] of names) registry.add(schema, { id });
  const made = z.toJSONSchema(registry, { target: 'draft-7', io: 'input', uri: (id) => `#/components/schemas/${id}` }).schemas;
  const described = [...names].map(([schema, name]): [string, Json] => {
    const { $schema: _, $id: __, ...json } = made[name] as Json;
    return [name, withWords(json, wordsOf(schema))];
  });
  return Object.fromEntries(described.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function withWords(json: Json, words: SchemaWords | undefined): Json {
  const properties = Object.entries((json['properties'] ?? {}) as Record<string, Json>).map(([field, value]): [string, Json] => {
    const description = words?.fields.get(field);
    // Beside a $ref nothing else is read.
    return [field, description === undefined || '$ref' in value ? value : { description, ...value }];
  });
  return {
    ...(words === undefined || words.doc === '' ? {} : { description: words.doc }),
    ...json,
    ...(properties.length === 0 ? {} : { properties: Object.fromEntries(properties) }),
  };
}

/** Headers of every record of an event. */
const RECORD_HEADERS: Json = {
  type: 'object',
  required: ['df_envelope', 'ce_specversion', 'ce_id', 'ce_source', 'ce_type', 'content-type'],
  properties: {
    df_envelope: text(
      'The envelope as JSON, as in #/components/schemas/Envelope. It is written in one way only, and its hash covers the payload.',
      {
        contentMediaType: 'application/json',
      },
    ),
    df_seal: text(
      'Of a sealed payload: `{"key", "digest"}` as JSON. The key is the one on the topic of keys that opens it, null where there is no payload any more.',
      {
        contentMediaType: 'application/json',
      },
    ),
    ce_specversion: text(
      'CloudEvents 1.0, Kafka binding, binary mode. The ce_* headers follow from the envelope; the log itself does not read them.',
      { const: '1.0' },
    ),
    ce_id: text('Unique in its source.'),
    ce_source: text('`/dreamfold/<log id>/<stream>`', { format: 'uri-reference' }),
    ce_type: text('The type of the event.'),
    ce_subject: text('The stream.'),
    ce_time: text('When it was appended. Informative: the order is that of the stream.', { format: 'date-time' }),
    'content-type': text('application/json, or application/octet-stream for a sealed payload.'),
    traceparent: text('W3C trace context: one trace for all that belongs to a request, or to a stream.'),
  },
};

function eventMessage(type: EventType, { schema, doc }: { schema: string; doc: string | undefined }): Json {
  return {
    name: type,
    title: `${type} v${EVENT_VERSION[type]}`,
    ...(doc === undefined || doc === '' ? {} : { summary: doc }),
    contentType: 'application/json',
    headers: { allOf: [ref('schemas', 'RecordHeaders'), { type: 'object', properties: { ce_type: { const: type } } }] },
    payload: ref('schemas', schema),
    bindings: STREAM_KEY,
  };
}

const kafkaKey = (key: Json): Json => ({ kafka: { key, bindingVersion: '0.5.0' } });
const STREAM_KEY = kafkaKey(text('The stream, such as session/sesn_1.'));

const OTHER_MESSAGES: Record<'sealed' | 'key-tree' | 'blob-chunk', Json> = {
  sealed: {
    title: 'Any event of a log with erasure',
    summary: 'iv (12 bytes), AES-256-GCM ciphertext of the payload, tag (16 bytes); the hash of the envelope is authenticated with it.',
    contentType: 'application/octet-stream',
    headers: { allOf: [ref('schemas', 'RecordHeaders'), { type: 'object', required: ['df_seal'] }] },
    payload: { type: 'string', format: 'binary' },
    bindings: STREAM_KEY,
  },
  'key-tree': {
    title: 'What is left of a key',
    summary: 'Leads to the keys of all events but those that were erased.',
    contentType: 'application/json',
    payload: ref('schemas', 'KeyTree'),
    bindings: kafkaKey(text('`<stream> <digest>`: of the root, the first 22 characters of its sha-256 as base64url.')),
  },
  'blob-chunk': {
    title: 'A part of a blob',
    contentType: 'application/octet-stream',
    headers: {
      type: 'object',
      required: ['put', 'chunk', 'chunks'],
      properties: {
        put: text('Made for one sending of the blob: chunks of two are never mixed.'),
        chunk: text('Number of the chunk, from 0.'),
        chunks: text('How many there are.'),
      },
    },
    payload: { type: 'string', format: 'binary' },
    bindings: kafkaKey(text('sha-256 of the blob, hexadecimal.')),
  },
};

function channel(name: keyof typeof TOPICS, messages: readonly string[]): Json {
  const spec = topicSpecs({ topics: TOPICS, partitions: null, replication: null }, 3).find(({ topic }) => topic === TOPICS[name])!;
  const {
    'cleanup.policy': cleanup,
    'retention.ms': retentionMs,
    'retention.bytes': retentionBytes,
    'max.message.bytes': maxBytes,
  } = spec.settings;
  const topicConfiguration = {
    ...(cleanup === undefined ? {} : { 'cleanup.policy': [cleanup] }),
    ...(retentionMs === undefined ? {} : { 'retention.ms': Number(retentionMs), 'retention.bytes': Number(retentionBytes) }),
    ...(maxBytes === undefined ? {} : { 'max.message.bytes': Number(maxBytes) }),
  };
  return {
    address: TOPICS[name],
    description: CHANNELS[name].replaceAll('\n', ' '),
    parameters: { prefix: { description: 'The path of the address of the log: `log` in kafka://host:9092/log.' } },
    messages: Object.fromEntries(messages.map((message) => [message, ref('messages', message)])),
    bindings: { kafka: { partitions: spec.partitions, replicas: spec.replication, topicConfiguration, bindingVersion: '0.5.0' } },
  };
}

function operations(channels: readonly (keyof typeof TOPICS)[]): Json {
  const both = channels.flatMap((name) => [
    [`append-${name}`, { action: 'send', channel: { $ref: `#/channels/${name}` }, summary: `A node appends to ${TOPICS[name]}.` }],
    [`follow-${name}`, { action: 'receive', channel: { $ref: `#/channels/${name}` }, summary: `Every node reads all of ${TOPICS[name]}.` }],
  ]);
  return Object.fromEntries(both) as Json;
}

/** The document, as JSON. */
export function asyncApi({ version, wordsOf }: AsyncApiOptions): Json {
  const names = schemaNames();
  const types = Object.keys(CATALOGUE) as EventType[];
  const eventMessages = types.map((type): [string, Json] => {
    const schema: z.ZodType = CATALOGUE[type];
    return [type, eventMessage(type, { schema: names.get(schema)!, doc: wordsOf(schema)?.doc })];
  });
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'The log of Dreamfold on Kafka',
      version,
      description:
        'The topics of one log. Reading them is safe for any client; a record that does not fit is set aside by every node, and changes nothing.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      plain: { host: 'localhost:9092', protocol: 'kafka', description: 'kafka://host:9092/prefix' },
      secure: {
        host: 'localhost:9093',
        protocol: 'kafka-secure',
        description: 'kafka://user@host:9093/prefix?ssl=true',
        security: [{ $ref: '#/components/securitySchemes/scram' }],
      },
    },
    channels: {
      events: channel('events', [...types, 'sealed']),
      keys: channel('keys', ['key-tree']),
      blobs: channel('blobs', ['blob-chunk']),
      work: channel('work', []),
    },
    operations: operations(['events', 'keys', 'blobs']),
    components: {
      securitySchemes: { scram: { type: 'scramSha512', description: 'Also SCRAM-SHA-256, or PLAIN over TLS.' } },
      messages: { ...Object.fromEntries(eventMessages), ...OTHER_MESSAGES },
      schemas: { RecordHeaders: RECORD_HEADERS, ...schemas(names, wordsOf) },
    },
  };
}
