import { kindOf } from './guards/kind-of.ts';

/**
 * Every error that input can cause. The value is the HTTP status that a server answers with; a command line
 * maps the same codes to exit codes. A code, once released, keeps its meaning.
 */
export const ERROR_STATUS = {
  invalid_json: 400,
  invalid_argument: 400,
  invalid_path: 400,
  invalid_cursor: 400,
  expected_head_required: 400,
  not_approved: 409,
  forbidden_path: 403,
  self_approval_forbidden: 403,
  permission_denied: 403,
  not_found: 404,
  approval_not_found: 404,
  approval_already_used: 409,
  approval_stale: 409,
  head_conflict: 409,
  idempotency_conflict: 409,
  fenced: 409,
  session_ended: 409,
  session_busy: 409,
  budget_exceeded: 409,
  path_conflict: 409,
  precondition_failed: 409,
  rollback_conflict: 409,
  already_decided: 409,
  payload_too_large: 413,
  json_too_deep: 422,
  json_too_many_keys: 422,
  forbidden_key: 422,
  invalid_text: 422,
  invalid_event: 422,
  unknown_event_type: 422,
  unsupported_schema_version: 422,
  content_unsupported: 422,
  unknown_agent: 422,
  unknown_tool: 422,
  unknown_model: 422,
  invalid_tool_input: 422,
  delegation_cycle: 422,
  invalid_team: 422,
  invalid_rubric: 422,
  invalid_directive: 422,
  invalid_import: 422,
  invalid_patch: 422,
  invalid_pointer: 422,
  patch_too_large: 422,
  text_too_long: 422,
  evidence_required: 422,
  evidence_not_found: 422,
  evidence_unlabelled: 422,
  suspicious_unicode: 422,
  secret_detected: 422,
  untrusted_overlap: 422,
  config_invalid: 422,
  tool_failed: 500,
  tool_timeout: 504,
  tool_output_too_large: 422,
  tool_outcome_unknown: 409,
  model_overloaded: 529,
  model_rate_limited: 429,
  model_timeout: 504,
  model_unavailable: 503,
  model_request_failed: 400,
  model_protocol_error: 502,
  model_answer_unsupported: 502,
  model_context_window_exceeded: 413,
  recording_exhausted: 409,
  store_corrupt: 500,
  store_newer_than_code: 500,
  store_read_only: 500,
  store_full: 507,
  store_locked: 423,
  store_unavailable: 503,
  log_diverged: 500,
  payload_missing: 500,
  hash_mismatch: 422,
  missing_dependency: 500,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

export interface ErrorDetails {
  /** What the caller can do now, as an imperative sentence. */
  remedy: string;
  /** Where the offending value stands: a JSON pointer, a file with its line, or an argument's name. */
  path?: string;
  /** The offending value, or a short excerpt of it. Never a secret. */
  value?: unknown;
  cause?: unknown;
}

/** Of an error whose maker has named none. */
const REMEDY_UNKNOWN = 'Go by the message: nothing more is known.';
/** So much of a message, path or value is kept: what a caller sent is not sent back whole. */
const MAX_MESSAGE_CHARS = 1000;
const MAX_EXCERPT_CHARS = 300;

/** An error that a caller can act on. Anything else that is thrown is a programming error and crashes loudly. */
export class DreamfoldError extends Error {
  override readonly name = 'DreamfoldError';
  readonly code: ErrorCode;
  readonly remedy: string;
  readonly path: string | undefined;
  readonly value: unknown;

  /**
   * @param details what to do now, and where the fault is; a model or a tool of your own may leave them out
   */
  constructor(code: ErrorCode, message: string, details: ErrorDetails = { remedy: REMEDY_UNKNOWN }) {
    const { remedy, path, value, cause } = readable(details);
    super(excerpt(message, MAX_MESSAGE_CHARS), cause === undefined ? undefined : { cause });
    this.code = code;
    this.remedy = excerpt(remedy, MAX_MESSAGE_CHARS);
    this.path = path === undefined ? undefined : excerpt(path, MAX_EXCERPT_CHARS);
    this.value = typeof value === 'string' ? excerpt(value, MAX_EXCERPT_CHARS) : value;
  }

  /** The HTTP status of this error. */
  get status(): number {
    return ERROR_STATUS[this.code];
  }

  toJSON(): { code: ErrorCode; message: string; remedy: string; path?: string; value?: unknown } {
    return {
      code: this.code,
      message: this.message,
      remedy: this.remedy,
      ...(this.path === undefined ? {} : { path: this.path }),
      ...(this.value === undefined ? {} : { value: asJson(this.value) }),
    };
  }
}

/** The same error with another remedy, where what is to be done is known better. */
export function withRemedy(error: DreamfoldError, remedy: string): DreamfoldError {
  const { code, message, path, value } = error;
  return new DreamfoldError(code, message, { remedy, value, cause: error, ...(path === undefined ? {} : { path }) });
}

/** An error has to come into being, whatever it is made of: otherwise another one takes its place. */
function readable(details: Partial<ErrorDetails> | null | undefined): ErrorDetails {
  try {
    const { remedy = 'See the message.', path, value, cause } = details ?? {};
    return { remedy, value, cause, ...(path === undefined ? {} : { path }) };
  } catch {
    return { remedy: 'See the message.' };
  }
}

/** The beginning and the end of a long text. */
function excerpt(text: unknown, max: number): string {
  if (typeof text !== 'string') return kindOf(text);
  if (text.length <= max) return text;
  const end = Math.floor(max / 4);
  return `${text.slice(0, max - end)} … ${text.slice(-end)}`.toWellFormed();
}

/** The value where JSON can hold it and it is short, otherwise an excerpt of it. */
function asJson(value: unknown): unknown {
  try {
    const text = JSON.stringify(value);
    if (text === undefined) return kindOf(value);
    return text.length > MAX_EXCERPT_CHARS ? excerpt(text, MAX_EXCERPT_CHARS) : value;
  } catch {
    return kindOf(value);
  }
}

/** True for a DreamfoldError, of the given code when one is named; also across two copies of this package. */
export function isDreamfoldError(error: unknown, code?: ErrorCode): error is DreamfoldError {
  try {
    return hasShapeOfOurs(error) && (code === undefined || error.code === code);
  } catch {
    // An object whose fields throw when they are read.
    return false;
  }
}

function hasShapeOfOurs(error: unknown): error is DreamfoldError {
  if (!(error instanceof Error) || error.name !== 'DreamfoldError') return false;
  // The name alone is anybody's to take.
  const { code: own, message, remedy } = error as Partial<DreamfoldError>;
  return typeof own === 'string' && /^[a-z_]{1,64}$/.test(own) && typeof message === 'string' && typeof remedy === 'string';
}
