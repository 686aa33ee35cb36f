import type { ErrorCode } from '@dreamfold/events';
import { DreamfoldError, isDreamfoldError } from '@dreamfold/events';
import { ModelError } from '../model-error.ts';
import { protocolError } from './message-reader.ts';

/** What is read of the SDK's errors; they are told apart by shape, so that the SDK need not be loaded to name its classes. */
interface ApiFailure {
  name: string;
  message: string;
  status?: number | undefined;
  type?: string | null;
  apiMessage?: string | null;
  headers?: Headers | undefined;
  cause?: unknown;
}

/** Errors of the API by the type in their body: the only thing that names an error inside a stream. */
const CODE_BY_TYPE: Readonly<Record<string, ErrorCode>> = {
  overloaded_error: 'model_overloaded',
  rate_limit_error: 'model_rate_limited',
  timeout_error: 'model_timeout',
  api_error: 'model_unavailable',
};

/**
 * The port's error for whatever one attempt threw.
 * @param apiKey is taken out of every message, should the server repeat it
 */
export function errorFrom(error: unknown, apiKey: string): DreamfoldError {
  const own = causesOf(error).find((cause) => isDreamfoldError(cause));
  if (own !== undefined) return own;
  if (!(error instanceof Error)) return protocolError('The SDK failed without an error');
  if (error instanceof SyntaxError) return protocolError('The server sent something in its stream that is not JSON');
  const failure = error as ApiFailure;
  const root = causesOf(error).at(-1) as Error;
  const message = (failure.apiMessage ?? root.message).replaceAll(apiKey, '[API key]').slice(0, 1000).toWellFormed();
  const code = codeOf(failure);
  const status = failure.status === undefined ? '' : ` (${failure.status})`;
  return new ModelError(code, `${sentenceOf(code, failure)}${status}: ${message}`, {
    remedy: remedyOf(code, failure.status),
    ...(failure.status === undefined ? {} : { value: failure.status }),
    retryAfterMs: retryAfterOf(failure.headers),
  });
}

export function timedOut(timeoutMs: number): ModelError {
  return new ModelError('model_timeout', `The model did not finish within ${timeoutMs} ms`, {
    value: timeoutMs,
    remedy: 'Try again, or raise timeoutMs.',
  });
}

const SENTENCES: Partial<Record<ErrorCode, string>> = {
  model_overloaded: 'The model is overloaded',
  model_rate_limited: 'The rate limit is reached',
  model_timeout: 'The model timed out',
  model_unavailable: 'The model cannot be reached',
  model_request_failed: 'The model refused the request',
};

/** Who answers was reached; what it says is its own fault. */
function sentenceOf(code: ErrorCode, { status, type }: ApiFailure): string {
  const hasAnswered = status !== undefined || (type !== null && type !== undefined);
  if (code === 'model_unavailable' && hasAnswered) return 'The server of the model failed';
  return SENTENCES[code] ?? 'The request to the model failed';
}

function codeOf({ name, status, type }: ApiFailure): ErrorCode {
  if (name === 'APIConnectionTimeoutError') return 'model_timeout';
  if (status === undefined) {
    // No status: an error event inside the stream, which names its type, or a connection that broke.
    if (type === null || type === undefined) return 'model_unavailable';
    return CODE_BY_TYPE[type] ?? 'model_request_failed';
  }
  if (status === 429) return 'model_rate_limited';
  if (status === 529) return 'model_overloaded';
  if (status === 408 || status === 504) return 'model_timeout';
  if (status === 409 || status >= 500) return 'model_unavailable';
  return 'model_request_failed';
}

function remedyOf(code: ErrorCode, status: number | undefined): string {
  if (code !== 'model_request_failed') return 'Try again later.';
  if (status === 401) return 'Set ANTHROPIC_API_KEY to a valid key, or pass apiKey.';
  if (status === 402 || status === 403) return 'Use a key whose account may use this model, and check its billing.';
  if (status === 404) return "Check the model's name and the base URL.";
  return 'Correct what the message names; the same request will fail again.';
}

/** The error and what caused it. A lost connection says why only at the bottom: "Connection error." ← "fetch failed" ← "connect ECONNREFUSED 127.0.0.1:8080". */
function causesOf(error: unknown): unknown[] {
  const causes = [error];
  for (
    let cause = (error as ApiFailure | null)?.cause;
    cause instanceof Error && cause.message !== '' && causes.length < 6;
    cause = cause.cause
  )
    causes.push(cause);
  return causes;
}

/** The wait in `retry-after-ms`, or in `retry-after` as seconds or as a date. */
function retryAfterOf(headers: Headers | undefined): number | undefined {
  const exact = Number.parseFloat(headers?.get('retry-after-ms') ?? '');
  if (exact >= 0) return Math.ceil(exact);
  const text = headers?.get('retry-after') ?? '';
  if (text === '') return undefined;
  const seconds = Number(text);
  const ms = Number.isNaN(seconds) ? Date.parse(text) - Date.now() : seconds * 1000;
  return ms >= 0 ? Math.ceil(ms) : undefined;
}
