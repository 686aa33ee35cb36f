import { DreamfoldError, type ErrorCode, type ErrorDetails } from '@dreamfold/events';

/** A failed attempt at a model, with the wait that the service asked for when it named one. */
export class ModelError extends DreamfoldError {
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails & { retryAfterMs?: number | undefined }) {
    super(code, message, details);
    this.retryAfterMs = details.retryAfterMs;
  }
}
