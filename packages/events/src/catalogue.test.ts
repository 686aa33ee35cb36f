import { describe, expect, test } from 'vitest';
import { CATALOGUE, EVENT_VERSION, checkPayload, isEventType, knownEvent, streamKindOf, text, textOf, type LogEvent } from './index.ts';

const MESSAGE: LogEvent = {
  position: 1,
  stream: 'session/sesn_1',
  seq: 1,
  id: 'sevt_1',
  time: 0,
  type: 'user.message',
  v: 2,
  causation: null,
  correlation: null,
  actor: 'user',
  hash: 'h',
  data: { content: text('hello') },
};

test('every type stands in one kind of stream, whatever its name', () => {
  const kinds = (['memory.given', 'user.message', 'memory.patch_proposed', 'dream.started', 'log.genesis', 'log.erased'] as const).map(
    streamKindOf,
  );
  expect(kinds).toEqual(['session', 'session', 'memory', 'dream', 'log', 'any']);
});

describe('checkPayload', () => {
  test('accepts what the catalogue describes', () => {
    expect(() => checkPayload('user.message', 2, { content: text('hello') })).not.toThrow();
  });

  test.each([
    { name: 'an unknown type', type: 'user.mesage', v: 1, data: {}, code: 'unknown_event_type', path: 'type' },
    { name: 'a type named like an object method', type: 'toString', v: 1, data: {}, code: 'unknown_event_type', path: 'type' },
    { name: 'a newer version', type: 'user.message', v: 3, data: {}, code: 'unsupported_schema_version', path: 'v' },
    { name: 'no payload', type: 'user.message', v: 2, data: null, code: 'invalid_event', path: '/' },
    { name: 'a wrong field', type: 'user.message', v: 2, data: { content: 'hello' }, code: 'invalid_event', path: '/content' },
    {
      name: 'a wrong field deep inside',
      type: 'user.message',
      v: 2,
      data: { content: [{ type: 'text', text: 1 }] },
      code: 'invalid_event',
      path: '/content/0/text',
    },
    {
      name: 'a score over 1',
      type: 'outcome.imported',
      v: 1,
      data: { score: 1.01, source: 'reward' },
      code: 'invalid_event',
      path: '/score',
    },
  ])('refuses $name with $code', ({ type, v, data, code, path }) => {
    expect(() => checkPayload(type, v, data)).toThrow(expect.objectContaining({ code, path }));
  });
});

describe('knownEvent', () => {
  test('gives an event of the catalogue as it is', () => {
    expect(knownEvent(MESSAGE)).toEqual(MESSAGE);
  });

  test('passes an erased payload', () => {
    expect(knownEvent({ ...MESSAGE, data: null })?.data).toBeNull();
  });

  test('is null for what a newer version wrote', () => {
    expect(knownEvent({ ...MESSAGE, type: 'user.gesture' })).toBeNull();
    expect(knownEvent({ ...MESSAGE, v: EVENT_VERSION['user.message'] + 1 })).toBeNull();
  });
});

test('types are dotted lower-case names with a version from 1', () => {
  for (const type of Object.keys(CATALOGUE)) {
    expect(type).toMatch(/^[a-z]+\.[a-z_]+$/);
    expect(isEventType(type)).toBe(true);
  }
  expect(Object.keys(EVENT_VERSION)).toEqual(Object.keys(CATALOGUE));
  expect(Math.min(...Object.values(EVENT_VERSION))).toBe(1);
  expect(isEventType('constructor')).toBe(false);
});

test('text and textOf are each other’s inverse; blocks are joined by newlines', () => {
  expect(textOf(text('a'))).toBe('a');
  expect(textOf([...text('a'), ...text('b')])).toBe('a\nb');
  expect(textOf([])).toBe('');
  expect(textOf(undefined)).toBe('');
});
