import { bestAttempt, hasSomethingToDo, outcomeOfTurn, type SessionState } from '@dreamfold/core';
import type { StopReason } from '@dreamfold/events';
import { isoTime } from '../iso-time.ts';
import { rowHasSomethingToDo, type SessionRowState } from './row-state.ts';

/** Who runs the sessions of a log: the process and since when, in milliseconds since 1970; null when nobody does. */
export type Processor = { readonly since: number } | null | 'unknown';

/** `unattended`: it has something to do, and nobody does it. The last ones say what it stopped for. */
export const SESSION_STATUSES = [
  ...(['new', 'running', 'unattended', 'interrupted'] as const),
  ...(['end_turn', 'requires_action', 'retries_exhausted', 'budget_reached', 'refusal'] as const),
] as const;
export type SessionStatus = (typeof SESSION_STATUSES)[number];

/** What becomes of an outcome, from its beginning on. */
export const OUTCOME_STATUSES = ['working', 'evaluating', 'satisfied', 'max_iterations_reached', 'failed', 'interrupted'] as const;

/** A session in a list. */
export interface SessionRow {
  id: string;
  title: string;
  /** Name of the lead. */
  agent: string;
  principal: string;
  /** Somebody had checked that the principal is who it says. */
  authenticated: boolean;
  status: SessionStatus;
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

/** What tells whether a session that has something to do is done by anybody. */
interface Attended {
  hasSomethingToDo: boolean;
  status: 'running' | 'idle';
  claimedAt: number;
}

/** Whether a session has something to do and no process does it. False where that is not known, as on Kafka. */
export function isUnattended(session: SessionState, processor: Processor): boolean {
  // Who asks where it is not known pays nothing for the answer.
  return processor !== 'unknown' && isLeftAlone({ ...session, hasSomethingToDo: hasSomethingToDo(session) }, processor);
}

function isLeftAlone({ hasSomethingToDo: waits, status, claimedAt }: Attended, processor: Processor): boolean {
  if (processor === 'unknown' || !waits) return false;
  if (processor === null) return true;
  // Whoever took the lock after that has not taken this session up; a worker of its team would have.
  return status === 'running' && claimedAt < processor.since;
}

/**
 * The row of a session that is folded whole.
 * @param processor left out where nobody asks who runs it
 */
export function sessionRow(state: SessionState, processor: Processor = 'unknown'): SessionRow {
  const { outcome, importedScore } = state;
  return {
    id: state.id,
    title: state.title ?? outcome?.description ?? state.threads[0]?.task ?? '',
    agent: state.team.lead,
    principal: state.principal,
    authenticated: state.principalAuthenticated,
    status: isUnattended(state, processor) ? 'unattended' : statusOf(state, state.stopReason?.type ?? null),
    outcome: outcome === null ? null : (outcome.result ?? outcome.status),
    outcomeIsEarlier: outcome !== null && outcomeOfTurn(state) === null,
    score: outcome === null ? importedScore : (bestAttempt(outcome)?.score ?? null),
    events: state.seq,
    createdAt: isoTime(state.createdAt),
    updatedAt: isoTime(state.now),
  };
}

/**
 * The row of a session that is folded as far as a list needs.
 * @param processor left out where nobody asks who runs it
 */
export function sessionRowOf(state: SessionRowState, processor: Processor = 'unknown'): SessionRow {
  const { outcome, takenUpSeq } = state;
  const leftAlone = isLeftAlone({ ...state, hasSomethingToDo: rowHasSomethingToDo(state) }, processor);
  return {
    id: state.id,
    title: state.title ?? outcome?.description ?? state.task,
    agent: state.agent,
    principal: state.principal,
    authenticated: state.authenticated,
    status: leftAlone ? 'unattended' : statusOf(state, state.stopReason),
    outcome: outcome === null ? null : (outcome.result ?? outcome.status),
    outcomeIsEarlier: outcome !== null && outcome.endSeq !== null && outcome.endSeq < takenUpSeq,
    score: outcome === null ? state.importedScore : bestScore(outcome.scores, outcome.scoresBefore),
    events: state.seq,
    createdAt: isoTime(state.createdAt),
    updatedAt: isoTime(state.now),
  };
}

function statusOf(
  { status, interrupted }: Pick<SessionState, 'status' | 'interrupted'>,
  stopReason: StopReason['type'] | null,
): SessionStatus {
  return status === 'running' ? 'running' : interrupted ? 'interrupted' : (stopReason ?? 'new');
}

/** An attempt before the user's newest message is no answer to it, and stands back behind those that are. */
function bestScore(scores: readonly number[], before: number): number | null {
  const answers = scores.slice(before);
  const counted = answers.length > 0 ? answers : scores;
  return counted.length === 0 ? null : Math.max(...counted);
}
