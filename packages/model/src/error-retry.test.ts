import { DreamfoldError } from '@dreamfold/events';
import { expect, test } from 'vitest';
import { isRetryable, retryAfterMs, retryDelayMs } from './error-retry.ts';
import { ModelError } from './model-error.ts';

test.each(['model_overloaded', 'model_rate_limited', 'model_timeout', 'model_unavailable', 'model_protocol_error'] as const)(
  '%s may be tried again',
  (code) => expect(isRetryable(new ModelError(code, 'x', { remedy: 'y' }))).toBe(true),
);

test.each([
  new ModelError('model_request_failed', 'x', { remedy: 'y' }),
  new DreamfoldError('invalid_directive', 'x', { remedy: 'y' }),
  new DreamfoldError('recording_exhausted', 'x', { remedy: 'y' }),
  new TypeError('x'),
  { code: 'model_overloaded' },
  undefined,
])('%s may not', (error) => expect(isRetryable(error)).toBe(false));

test('the wait doubles from half a second to eight, with half of it jitter', () => {
  const low = [1, 2, 3, 4, 5, 6, 40, 4000].map((attempt) => retryDelayMs(attempt, { random: 0 }));
  expect(low).toEqual([250, 500, 1000, 2000, 4000, 4000, 4000, 4000]);
  const high = [1, 2, 3, 4, 5, 6, 40, 4000].map((attempt) => retryDelayMs(attempt, { random: 0.999999 }));
  expect(high).toEqual([500, 1000, 2000, 4000, 8000, 8000, 8000, 8000]);
});

test('a longer wait that the service asks for is honoured, up to a minute', () => {
  expect(retryDelayMs(1, { random: 0, retryAfterMs: 7000 })).toBe(7000);
  expect(retryDelayMs(1, { random: 0, retryAfterMs: 7000.5 })).toBe(7001);
  expect(retryDelayMs(1, { random: 0, retryAfterMs: 0 })).toBe(250);
  expect(retryDelayMs(1, { random: 0, retryAfterMs: 1e12 })).toBe(60_000);
});

test('the wait is read from the error that carries it', () => {
  const error = new ModelError('model_rate_limited', 'x', { remedy: 'y', retryAfterMs: 1500 });
  expect(retryAfterMs(error)).toBe(1500);
  expect(error.name).toBe('DreamfoldError');
  expect(retryAfterMs(new ModelError('model_rate_limited', 'x', { remedy: 'y' }))).toBeUndefined();
  expect(retryAfterMs(new TypeError('x'))).toBeUndefined();
});
