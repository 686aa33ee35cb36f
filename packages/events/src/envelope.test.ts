import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Envelope, StreamName, eventId, hashInput, isStoredEvent } from './index.ts';

const ENVELOPE: Envelope = {
  stream: 'session/sesn_1',
  seq: 2,
  id: 'sevt_2',
  time: 1_795_252_443_120,
  prev: 'previous',
  hash: 'own',
  type: 'user.message',
  v: 1,
  class: 'open',
  epoch: 3,
  append: { id: 'sevt_1', i: 1, n: 2 },
  writer: 'w_1',
  causation: 1,
  correlation: 'req_1',
  actor: 'user',
  dataHash: 'data',
};

// One other valid value for each field that the hash covers.
const OTHER: Omit<Envelope, 'hash'> = {
  stream: 'session/sesn_2',
  seq: 3,
  id: 'sevt_3',
  time: 1,
  prev: 'other',
  type: 'user.interrupt',
  v: 2,
  class: 'owner',
  epoch: 4,
  append: { id: 'sevt_0', i: 0, n: 3 },
  writer: 'w_2',
  causation: 'dream/drm_1#4',
  correlation: null,
  actor: 'system',
  dataHash: 'other',
};

describe('hashInput', () => {
  test('is one line a field in a fixed order, the rule first', () => {
    expect(hashInput(ENVELOPE)).toBe(
      '1\nsession/sesn_1\n2\nsevt_2\n1795252443120\nprevious\nuser.message\n1\nopen\n3\nsevt_1\n1\n2\nw_1\n#1\nreq_1\nuser\ndata',
    );
  });

  test('does not cover the hash itself', () => {
    const other: Envelope = { ...ENVELOPE, hash: 'another' };
    expect(hashInput(other)).toBe(hashInput(ENVELOPE));
  });

  test.each(Object.keys(OTHER) as (keyof typeof OTHER)[])('covers %s', (field) => {
    expect(hashInput({ ...ENVELOPE, [field]: OTHER[field] })).not.toBe(hashInput(ENVELOPE));
  });

  test.each(['id', 'i', 'n'] as const)('covers append.%s', (field) => {
    expect(hashInput({ ...ENVELOPE, append: { ...ENVELOPE.append, [field]: OTHER.append[field] } })).not.toBe(hashInput(ENVELOPE));
  });

  test('tells the seq 1 from the text 1 as a cause', () => {
    expect(hashInput({ ...ENVELOPE, causation: '1' })).not.toBe(hashInput(ENVELOPE));
  });
});

describe('Envelope', () => {
  test('accepts a valid one', () => {
    expect(Envelope.parse(ENVELOPE)).toEqual(ENVELOPE);
  });

  test('counts characters, not UTF-16 units, and leaves room for what an id says of its place in the append', () => {
    const long = '\u{1f4a5}'.repeat(200);
    const append = { id: long, i: 1, n: 2 };
    const event = {
      ...ENVELOPE,
      actor: long,
      correlation: long,
      causation: long,
      writer: long,
      append,
      id: eventId(long, Number.MAX_SAFE_INTEGER),
    };
    expect(Envelope.safeParse(event).success).toBe(true);
    expect(isStoredEvent({ ...event, data: '{}' })).toBe(true);
  });

  // A line break in a field could make two envelopes with one hash.
  test.each(['id', 'type', 'writer', 'actor', 'prev', 'correlation', 'causation', 'dataHash'])('refuses a line break in %s', (field) => {
    expect(Envelope.safeParse({ ...ENVELOPE, [field]: 'a\nb' }).success).toBe(false);
  });

  test.each([
    { seq: 0 },
    { seq: 1.5 },
    { seq: Number.MAX_SAFE_INTEGER + 1 },
    { time: -1 },
    { class: 'root' },
    { id: '' },
    { epoch: -1 },
    { append: { id: 'a', i: 0, n: 0 } },
    { actor: 'x'.repeat(201) },
    { actor: '\u{1f4a5}'.repeat(201) },
    { id: 'x'.repeat(218) },
    { extra: true },
  ])('refuses %o', (change) => {
    expect(Envelope.safeParse({ ...ENVELOPE, ...change }).success).toBe(false);
  });
});

test.each(['session/', 'sesn_1', 'Session/sesn_1', 'session/a/b', 'session/../x', 'session/a#1', 'other/a', `session/${'a'.repeat(120)}`])(
  'StreamName refuses %s',
  (name) => {
    expect(StreamName.safeParse(name).success).toBe(false);
  },
);

describe('isStoredEvent', () => {
  const VALID = { ...ENVELOPE, data: '{}' };
  const byEnvelope = (value: unknown): boolean => {
    if (typeof value !== 'object' || value === null || !('data' in value)) return false;
    const { data, ...envelope } = value;
    return (data === null || typeof data === 'string') && Envelope.safeParse(envelope).success;
  };
  const line = fc.oneof(
    fc.constantFrom('', '#', '#a', 'a#', 'a\nb', '\u007f', '\u0000', '\ud800', 'a\udfff', '🙂', 'a'.repeat(200), 'a'.repeat(201)),
    fc.tuple(fc.constantFrom('a', '🙂'), fc.constantFrom(99, 100, 101, 199, 200, 201, 217, 218)).map(([unit, count]) => unit.repeat(count)),
    fc.string({ unit: 'binary', maxLength: 3 }),
    fc.string({ unit: 'grapheme' }),
  );
  const count = fc.constantFrom(
    0,
    -0,
    1,
    2,
    -1,
    0.5,
    Number.NaN,
    Infinity,
    2 ** 53 - 1,
    2 ** 53,
    8_640_000_000_000_000,
    8_640_000_000_000_001,
  );
  const stream = fc.oneof(
    fc.constantFrom(
      'session/a',
      'log/main',
      'log/a\n',
      ' log/a',
      'log/',
      'log/a.b',
      'other/a',
      `dream/${'a'.repeat(114)}`,
      `dream/${'a'.repeat(115)}`,
    ),
    line,
  );
  const writeClass = fc.constantFrom('open', 'owner', 'claim', 'root', '');
  const anything = fc.oneof(
    line,
    count,
    stream,
    writeClass,
    fc.constantFrom(null, undefined, true, [], {}, ENVELOPE.append),
    fc.anything(),
  );
  const append = fc.oneof(
    fc.record({ id: fc.oneof(line, anything), i: fc.oneof(count, anything), n: fc.oneof(count, anything) }),
    fc.constantFrom({ ...ENVELOPE.append, more: 1 }, { id: 'a', i: 0 }, ['a', 0, 1]),
  );
  const likely: Partial<Record<string, fc.Arbitrary<unknown>>> = {
    append,
    stream,
    class: writeClass,
    data: fc.constantFrom(null, '', '{}', {}),
  };
  const field = fc.constantFrom(...Object.keys(VALID));
  const change = field.chain((key) => fc.tuple(fc.constant(key), fc.oneof(likely[key] ?? fc.oneof(line, count), anything)));

  test('gives the answer of the schema, for every value of every field', () => {
    let accepted = 0;
    fc.assert(
      fc.property(fc.array(change, { maxLength: 3 }), (changes) => {
        const value = { ...VALID, ...Object.fromEntries(changes) };
        const answer = byEnvelope(value);
        if (answer) accepted += 1;
        expect(isStoredEvent(value)).toBe(answer);
      }),
      { numRuns: 5000 },
    );
    expect(accepted).toBeGreaterThan(500);
  });

  test('gives the answer of the schema for what is no envelope, and for fields too few or too many', () => {
    const check = (value: unknown): void => {
      expect(isStoredEvent(value)).toBe(byEnvelope(value));
    };
    for (const key of Object.keys(VALID)) check(Object.fromEntries(Object.entries(VALID).filter(([name]) => name !== key)));
    for (const text of ['{"__proto__":1}', '{"more":1}', '{"append":{"__proto__":null,"id":"a","i":0,"n":1}}']) {
      check(Object.assign(JSON.parse(JSON.stringify(VALID)) as object, JSON.parse(text)));
      check(JSON.parse(JSON.stringify(VALID).replace(/\}$/, `,${text.slice(1)}`)));
    }
    fc.assert(fc.property(fc.oneof(fc.anything(), fc.json()), check), { numRuns: 1000 });
    expect(isStoredEvent(VALID)).toBe(true);
  });
});
