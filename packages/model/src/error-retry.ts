import { type ErrorCode, isDreamfoldError } from '@dreamfold/events';
import { backoffMs } from '@dreamfold/core';

const RETRYABLE: ReadonlySet<ErrorCode> = new Set([
  'model_overloaded',
  'model_rate_limited',
  'model_timeout',
  'model_unavailable',
  'model_protocol_error',
]);

const DELAY = { firstMs: 500, maxMs: 8_000 };
/** A service that asks for a longer wait is not waited for longer than this: the caller's patience is counted in attempts. */
const MAX_RETRY_AFTER_MS = 60_000;

/** True when the same request may succeed later: one attempt failed, not the request. */
export function isRetryable(error: unknown): boolean {
  return isDreamfoldError(error) && RETRYABLE.has(error.code);
}

/** The wait that the service asked for, in milliseconds, when the error carries one (see ModelError). */
export function retryAfterMs(error: unknown): number | undefined {
  const value = isDreamfoldError(error) && 'retryAfterMs' in error ? error.retryAfterMs : undefined;
  return typeof value === 'number' && value >= 0 ? value : undefined;
}

/**
 * Milliseconds to wait after failed attempt number `attempt`, counted from 1: 500 × 2^(attempt − 1), at most 8 s, of which the upper half
 * is jitter. A longer `retryAfterMs` wins, up to a minute.
 * @param options its `random` is a number from 0 to 1 (exclusive); the caller's, so that this stays pure
 */
export function retryDelayMs(attempt: number, options: { retryAfterMs?: number | undefined; random: number }): number {
  const jittered = Math.round((backoffMs(attempt, DELAY) / 2) * (1 + options.random));
  return Math.max(jittered, Math.ceil(Math.min(options.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS)));
}
