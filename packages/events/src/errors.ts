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
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.remedy = details.remedy;
    this.path = details.path;
    this.value = details.value;
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
      ...(this.value === undefined ? {} : { value: this.value }),
    };
  }
}

/** True for a DreamfoldError, of the given code when one is named; also across two copies of this package. */
export function isDreamfoldError(error: unknown, code?: ErrorCode): error is DreamfoldError {
  if (!(error instanceof Error) || error.name !== 'DreamfoldError') return false;
  // The name alone is anybody's to take.
  const { code: own, message, remedy } = error as Partial<DreamfoldError>;
  if (typeof own !== 'string' || !/^[a-z_]{1,64}$/.test(own) || typeof message !== 'string' || typeof remedy !== 'string') return false;
  return code === undefined || own === code;
}
