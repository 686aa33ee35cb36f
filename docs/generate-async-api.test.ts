import { readFileSync, readdirSync } from 'node:fs';
import specs from '@asyncapi/specs';
import { Ajv, type AnySchema, type ValidateFunction } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { CATALOGUE, EVENT_VERSION, type EventType, type StoredEvent } from '../packages/events/src/index.ts';
import { asyncApiDocument, asyncApiFile } from './generate-async-api.ts';

type Json = Record<string, unknown>;

const GOLDEN = new URL('../packages/events/golden/', import.meta.url);
const document = asyncApiDocument();

const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
const isAsyncApi: ValidateFunction = ajv.compile(specs.schemasWithoutId['3.0.0'] as AnySchema);

function at(pointer: string): unknown {
  return pointer
    .slice('#/'.length)
    .split('/')
    .reduce<unknown>((json, key) => (json as Json | undefined)?.[key], document);
}

/** All references of the document, with where they stand. */
function references(json: unknown, path = '#'): [path: string, target: string][] {
  if (typeof json !== 'object' || json === null) return [];
  return Object.entries(json).flatMap(([key, value]) =>
    key === '$ref' ? [[path, value as string] as [string, string]] : references(value, `${path}/${key}`),
  );
}

test('docs/asyncapi.yaml is what the catalogue and the topics say', () => {
  const written = readFileSync(new URL('asyncapi.yaml', import.meta.url), 'utf8');
  expect(written === asyncApiFile(), 'docs/asyncapi.yaml is stale: run "pnpm docs:asyncapi" and commit the file.').toBe(true);
  expect(parse(written)).toEqual(document);
});

describe('the document', () => {
  test('is AsyncAPI 3.0.0', () => {
    isAsyncApi(document);
    expect(isAsyncApi.errors).toBeNull();
  });

  test.each<[string, Json]>([
    [
      'a channel without a known binding',
      { channels: { events: { bindings: { kafka: { topicConfiguration: { 'cleanup.policy': 'delete' }, bindingVersion: '0.5.0' } } } } },
    ],
    ['an operation that does nothing', { operations: { one: { channel: { $ref: '#/channels/events' } } } }],
    ['another version', { asyncapi: '2.6.0' }],
  ])('would not be with %s', (_, change) => {
    expect(isAsyncApi({ ...document, ...change })).toBe(false);
  });

  test('refers to what is there', () => {
    const all = references(document);
    expect(all.length).toBeGreaterThan(100);
    expect(all.filter(([, target]) => at(target) === undefined)).toEqual([]);
  });

  test('has every event, with its version', () => {
    const { messages } = at('#/channels/events') as { messages: Json };
    expect(Object.keys(messages)).toEqual([...Object.keys(CATALOGUE), 'sealed']);
    for (const [type, v] of Object.entries(EVENT_VERSION))
      expect(at(`#/components/messages/${type}`)).toMatchObject({ title: `${type} v${v}` });
  });

  test('says how the topics are set', () => {
    expect(at('#/channels/events/bindings/kafka')).toEqual({
      partitions: 12,
      replicas: 3,
      topicConfiguration: { 'cleanup.policy': ['delete'], 'retention.ms': -1, 'retention.bytes': -1, 'max.message.bytes': 8_388_608 },
      bindingVersion: '0.5.0',
    });
    expect(at('#/channels/keys/bindings/kafka/topicConfiguration')).toMatchObject({ 'cleanup.policy': ['compact'] });
  });

  test('says of fields what the source says', () => {
    expect(at('#/components/schemas/SessionCreated/properties/principal')).toMatchObject({
      description: expect.stringContaining('Whose request it is') as string,
    });
  });
});

describe('an event as it was written', () => {
  ajv.addSchema({ $id: 'document', components: document['components'] });
  const fixtures = readdirSync(GOLDEN)
    .filter((file) => /@\d+\.json$/.test(file))
    .map((file) => JSON.parse(readFileSync(new URL(file, GOLDEN), 'utf8')) as StoredEvent)
    .filter((event) => event.v === EVENT_VERSION[event.type as EventType] && event.data !== null);

  test.each(fixtures)('is the message $type', (event) => {
    const { payload } = at(`#/components/messages/${event.type}`) as { payload: { $ref: string } };
    const check = ajv.getSchema(`document${payload.$ref}`)!;
    expect([check(JSON.parse(event.data!)), check.errors]).toEqual([true, null]);
    expect(check('no payload')).toBe(false);
    const { data: _, ...envelope } = event;
    expect(ajv.getSchema('document#/components/schemas/Envelope')!(envelope)).toBe(true);
  });
});
