import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { CATALOGUE, EVENT_VERSION, Envelope, hashInput, knownEvent, type EventType } from './index.ts';

const GOLDEN = new URL('../golden/', import.meta.url);
const StoredFixture = Envelope.extend({ data: z.string() });

const digests = z.record(z.string(), z.string()).parse(JSON.parse(readFileSync(new URL('digests.json', GOLDEN), 'utf8')));
const fixtures = readdirSync(GOLDEN)
  .filter((file) => file.endsWith('.json') && file !== 'digests.json')
  .map((file) => file.slice(0, -'.json'.length));

function read(name: string): string {
  return readFileSync(new URL(`${name}.json`, GOLDEN), 'utf8');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

test('every type has a fixture of every version', () => {
  const wanted = Object.entries(EVENT_VERSION).flatMap(([type, newest]) =>
    Array.from({ length: newest }, (_, index) => `${type}@${index + 1}`),
  );
  const missing = wanted.filter((name) => !fixtures.includes(name));
  expect(missing, 'Add the first stored event of each with packages/events/golden/write.ts.').toEqual([]);
  const unknown = fixtures.filter((name) => !wanted.includes(name));
  expect(unknown, 'A released type or version is never removed from the catalogue: logs hold it.').toEqual([]);
});

test('every fixture has a digest, and every digest its fixture', () => {
  expect(fixtures.toSorted()).toEqual(Object.keys(digests).toSorted());
});

describe.each(fixtures)('%s', (name) => {
  const bytes = read(name);
  const stored = StoredFixture.parse(JSON.parse(bytes));

  test('has not changed', () => {
    expect(sha256(bytes), 'A fixture is never rewritten. Restore it, and write an upcaster for the new form.').toBe(digests[name]);
  });

  test('verifies', () => {
    expect(`${stored.type}@${stored.v}`).toBe(name);
    expect(stored.dataHash).toBe(sha256(stored.data));
    expect(stored.hash).toBe(sha256(hashInput(stored)));
  });

  test('is read as the newest version, and none of its fields is lost', () => {
    const event = knownEvent({ ...stored, position: 1, data: JSON.parse(stored.data) });
    const type = stored.type as EventType;
    expect(event?.v).toBe(EVENT_VERSION[type]);
    expect(CATALOGUE[type].parse(event?.data)).toEqual(event?.data);
  });
});
