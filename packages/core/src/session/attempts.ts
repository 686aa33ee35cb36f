import { newEvent, type ModelUsage, type NewEvent } from '@dreamfold/events';
import { addUsage, capEvents, reachedCap, type ReachedCap } from './caps.ts';
import { NO_USAGE, threadOf, totalTokens, type SessionState } from './fold/state.ts';

/** What was paid for an attempt that came to nothing. */
export interface Spent {
  usage: ModelUsage;
  /** null when the model has no price. */
  costUsd: number | null;
}

/** What was spent; undefined when that is nothing. */
export function spentOf({ usage, costUsd }: Spent): Spent | undefined {
  return totalTokens(usage) === 0 ? undefined : { usage, costUsd };
}

interface Failure {
  code: string;
  message: string;
  /** Left out when nothing is known to have been used. */
  spent?: Spent | undefined;
}

export interface AttemptFailure extends Failure {
  threadId: string;
  startId: string;
  attempt: number;
  /** null: this was the last attempt. */
  retryAfterMs: number | null;
  /** The cap that was reached while the model was asked. */
  cap?: ReachedCap;
}

/** An attempt at a model request failed; with the last one the thread stops, as it does when what was spent leaves no room for another. */
export function attemptFailed(state: SessionState, failure: AttemptFailure): NewEvent[] {
  const { threadId, startId, attempt, code, message, spent } = failure;
  const thread = threadOf(state, threadId);
  if (thread?.request?.startId !== startId || thread.request.attempt !== attempt)
    return calledOff({ actor: threadId, startId, attempt, spent });
  const cap = failure.cap ?? (failure.retryAfterMs === null ? undefined : capAfter(state, spent));
  const retryAfterMs = cap === undefined ? failure.retryAfterMs : null;
  const events = [failedAttempt(threadId, { startId, attempt, code, message, spent, retryAfterMs })];
  if (retryAfterMs !== null) return events;
  events.push(...(cap === undefined ? [exhausted(threadId, code, message)] : capEvents(state, threadId, cap)));
  events.push(
    newEvent('span.model_request_end', threadId, {
      model_request_start_id: startId,
      is_error: true,
      model_usage: NO_USAGE,
      df_stop_reason: cap === undefined ? 'error' : 'budget',
    }),
  );
  return events;
}

/** A grader's attempt failed, and it is asked again, unless what was spent leaves no room for that. */
export function graderAttemptFailed(
  state: SessionState,
  failure: Failure & { evaluationId: string; attempt: number; retryAfterMs: number },
): NewEvent[] {
  const { evaluationId: startId, attempt, code, message, spent } = failure;
  if (state.outcome?.evaluationId !== startId) return calledOff({ actor: 'grader', startId, attempt, spent });
  const cap = capAfter(state, spent);
  const retryAfterMs = cap === undefined ? failure.retryAfterMs : null;
  return [failedAttempt('grader', { startId, attempt, code, message, spent, retryAfterMs }), ...capEvents(state, 'grader', cap)];
}

/** The time of the session ran out while its answer was judged. */
export function gradingStopped(
  state: SessionState,
  { evaluationId, spent, cap }: { evaluationId: string; spent: Spent | undefined; cap: ReachedCap },
): NewEvent[] {
  const message = 'The time of the session ran out while this was judged.';
  const failed = { actor: 'grader', startId: evaluationId, attempt: 1, code: 'budget_exceeded', message, spent };
  const isOpen = state.outcome?.evaluationId === evaluationId;
  return [...calledOff(failed), ...(isOpen ? capEvents(state, 'grader', cap) : [])];
}

/** What was paid for an answer that nobody waits for any more. */
export function calledOff({
  actor,
  startId,
  attempt,
  spent,
  code = 'interrupted',
  message = 'It was called off before it ended.',
}: CalledOff): NewEvent[] {
  return spent === undefined ? [] : [failedAttempt(actor, { startId, attempt, code, message, spent, retryAfterMs: null })];
}

interface CalledOff extends Partial<Failure> {
  /** The thread, or `grader`. */
  actor: string;
  startId: string;
  attempt: number;
}

function capAfter(state: SessionState, spent: Spent | undefined): ReachedCap | undefined {
  if (spent === undefined) return undefined;
  return reachedCap({ ...state, usage: addUsage(state.usage, spent.usage, spent.costUsd) }, 'attempt') ?? undefined;
}

function failedAttempt(
  actor: string,
  { startId, attempt, code, message, spent, retryAfterMs }: Failure & { startId: string; attempt: number; retryAfterMs: number | null },
): NewEvent {
  return newEvent('model.attempt_failed', actor, {
    model_request_start_id: startId,
    attempt,
    code,
    message,
    retry_after_ms: retryAfterMs,
    ...(spent === undefined ? {} : { model_usage: spent.usage, ...(spent.costUsd === 0 ? {} : { cost_usd: spent.costUsd }) }),
  });
}

function exhausted(actor: string, code: string, message: string): NewEvent {
  const passes = code === 'model_overloaded' || code === 'model_rate_limited';
  const type = passes ? (`${code}_error` as const) : 'model_request_failed_error';
  return newEvent('session.error', actor, { error: { type, message, retry_status: { type: 'exhausted' } } });
}
