import { describe, expect, test } from 'vitest';
import { Envelope, StreamName, hashInput } from './index.ts';

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
