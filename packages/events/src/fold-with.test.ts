import { expect, test } from 'vitest';
import type { LogEvent } from './envelope.ts';
import { foldWith } from './fold-with.ts';

const fold = foldWith<number>({
  'session.claimed': (state, { data }) => state + data.nonce.length,
  'user.interrupt': (state) => state + 10,
});
const claimed: LogEvent = {
  ...{ position: 1, stream: 'session/sesn_1', seq: 1, id: 'a', time: 0, type: 'session.claimed', v: 1 },
  ...{ causation: null, correlation: null, actor: 'system', hash: '', data: { nonce: 'n' } },
};

test('a type that has a handler changes the state', () => {
  expect(fold(1, claimed)).toBe(2);
});

test.each<[what: string, change: Partial<LogEvent>]>([
  ['of another type', { type: 'session.status_running', data: {} }],
  ['whose payload was erased', { type: 'user.interrupt', data: null }],
  ['whose payload is none of its type', { data: {} }],
  ['of a newer version', { v: 2, data: {} }],
  ['of a type that this code does not know', { type: 'session.paused' }],
])('an event %s changes nothing', (_what, change) => {
  expect(fold(1, { ...claimed, ...change })).toBe(1);
});

test('a fault of a handler is told', () => {
  const faulty = foldWith<number>({
    'session.claimed': () => {
      throw new TypeError('a fault');
    },
  });
  expect(() => faulty(1, claimed)).toThrow('a fault');
});
