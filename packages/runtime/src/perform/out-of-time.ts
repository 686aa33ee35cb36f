import { DreamfoldError, isDreamfoldError } from '@dreamfold/events';
import type { SessionState } from '@dreamfold/core';

/** Why work is stopped at the deadline of its session. */
export function outOfTime({ caps }: SessionState): DreamfoldError {
  return new DreamfoldError('budget_exceeded', `The session reached its cap wall_time_ms = ${caps.wall_time_ms}`, {
    path: 'caps/wall_time_ms',
    value: caps.wall_time_ms,
    remedy: 'Start a new session, with a higher cap if need be.',
  });
}

/** Whether work was stopped at the deadline of its session: then it still says what became of it. */
export function isOutOfTime({ reason }: AbortSignal): boolean {
  return isDreamfoldError(reason, 'budget_exceeded');
}

/** Whether nobody waits for what comes of work any more. What took too long says so, by an error of ours. */
export function isCalledOff({ aborted, reason }: AbortSignal): boolean {
  return aborted && !isDreamfoldError(reason);
}
