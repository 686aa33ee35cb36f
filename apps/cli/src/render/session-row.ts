import type { SessionState } from '@dreamfold/core';
import { bestAttempt, outcomeOfTurn } from '@dreamfold/core';
import { isoTime } from './iso-time.ts';
import { isUnattended, type Processor } from '../session/unattended.ts';

/** A session in a list. */
export interface SessionRow {
  id: string;
  title: string;
  principal: string;
  /** Somebody had checked that the principal is who it says. */
  authenticated: boolean;
  /** `new`, `running`, `unattended` (it has something to do, and nobody does it), `interrupted`, or what else it stopped for: `end_turn`, … */
  status: string;
  /** What became of the outcome, when it has one. */
  outcome: string | null;
  /** The outcome is of an earlier turn: what was said since is not graded. */
  outcomeIsEarlier: boolean;
  /** From 0 to 1: of the best attempt, or as imported. */
  score: number | null;
  events: number;
  /** ISO 8601. */
  createdAt: string;
  updatedAt: string;
}

/** @param processor of `Dreamfold.processor`; left out where nobody asks who runs it */
export function sessionRow(state: SessionState, processor: Processor = 'unknown'): SessionRow {
  const { outcome, importedScore } = state;
  return {
    id: state.id,
    title: state.title ?? outcome?.description ?? state.threads[0]?.task ?? '',
    principal: state.principal,
    authenticated: state.principalAuthenticated,
    status: isUnattended(state, processor) ? 'unattended' : statusOf(state),
    outcome: outcome === null ? null : (outcome.result ?? outcome.status),
    outcomeIsEarlier: outcome !== null && outcomeOfTurn(state) === null,
    score: outcome === null ? importedScore : (bestAttempt(outcome)?.score ?? null),
    events: state.seq,
    createdAt: isoTime(state.createdAt),
    updatedAt: isoTime(state.now),
  };
}

function statusOf({ status, interrupted, stopReason }: SessionState): string {
  return status === 'running' ? 'running' : interrupted ? 'interrupted' : (stopReason?.type ?? 'new');
}

export function scoreText(score: number | null): string {
  return score === null ? '-' : score.toFixed(2);
}
