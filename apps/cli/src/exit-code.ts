import { isDreamfoldError, type ErrorCode } from '@dreamfold/events/errors';

/** What the command line ends with; docs/reference/cli.md lists them. */
export const EXIT = {
  ok: 0,
  /** It ran, and did not reach its goal; or something failed that is not the caller's doing. */
  failed: 1,
  /** The arguments, the input or the id are wrong. Nothing was written. */
  usage: 2,
  /** The data directory can't be used: corrupt, newer than this code, read-only, full. */
  store: 3,
  /** Another process runs the sessions of this data directory. */
  locked: 4,
  /** It waits for a person. */
  waiting: 5,
  /** Ctrl-C, or `interrupt` from another terminal. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const STORE: ReadonlySet<ErrorCode> = new Set([
  'store_corrupt',
  'store_newer_than_code',
  'store_read_only',
  'store_full',
  'store_unavailable',
  'log_diverged',
  'payload_missing',
]);

/** Errors that the same command may not meet again, or that a model or a tool made. */
const FAILED: ReadonlySet<ErrorCode> = new Set([
  'fenced',
  'budget_exceeded',
  'tool_failed',
  'tool_timeout',
  'tool_outcome_unknown',
  'model_overloaded',
  'model_rate_limited',
  'model_timeout',
  'model_unavailable',
  'model_request_failed',
  'model_protocol_error',
  'recording_exhausted',
  'missing_dependency',
]);

export function exitCodeOf(error: unknown): ExitCode {
  if (!isDreamfoldError(error)) return EXIT.failed;
  if (error.code === 'store_locked') return EXIT.locked;
  if (STORE.has(error.code)) return EXIT.store;
  return FAILED.has(error.code) ? EXIT.failed : EXIT.usage;
}
