import { DreamfoldError, text, type FeedbackRecorded, type NewEvent } from '@dreamfold/events';
import { checkedActor } from '../actor.ts';
import { unjudged } from './decide.ts';
import { callOf, threadOf, waitsForTurn, type SessionState } from './state.ts';

// What comes from outside: a user, a person who approves, a desk. Each checks against the state and returns `open` events.

const open = (type: string, actor: string, data: unknown): NewEvent => ({ type, actor: checkedActor(actor), data, class: 'open' });

function mustExist(state: SessionState): void {
  if (state.exists) return;
  if (state.seq > 0 && state.suspended === null) {
    throw new DreamfoldError('session_ended', `The beginning of ${state.id} was erased, so it can't go on`, {
      path: `session/${state.id}#1`,
      value: state.id,
      remedy: 'Start a new session. If nobody erased it, run `dreamfold verify`.',
    });
  }
  throw new DreamfoldError('not_found', `There is no session ${state.id}`, {
    path: 'session',
    value: state.id,
    remedy: 'List them with `dreamfold sessions`.',
  });
}

/**
 * That a session is there, was not imported, and holds nothing that this code does not know.
 * @throws DreamfoldError not_found, session_ended, unsupported_schema_version
 */
export function mustRun(state: SessionState): void {
  mustExist(state);
  if (state.imported !== null) {
    throw new DreamfoldError('session_ended', `${state.id} was imported from ${state.imported.source}: it is a record and can't go on`, {
      path: 'session',
      value: state.id,
      remedy: 'Start a new session.',
    });
  }
  if (state.suspended !== null) {
    const { type, v, seq } = state.suspended;
    throw new DreamfoldError(
      'unsupported_schema_version',
      `${state.id} holds ${type} version ${v} at seq ${seq}, which is newer than this Dreamfold`,
      {
        path: `session#${seq}`,
        value: type,
        remedy: 'Run it with a newer Dreamfold.',
      },
    );
  }
}

/**
 * A message for the lead. It is queued while the lead is busy, or refused when `ifBusy` is 'reject'.
 * @throws DreamfoldError not_found, session_ended, session_busy, budget_exceeded
 */
export function sendMessage(state: SessionState, message: string, ifBusy: 'queue' | 'reject' = 'queue'): NewEvent[] {
  mustRun(state);
  if (typeof message !== 'string' || message.trim() === '')
    throw new DreamfoldError('invalid_argument', 'The message is empty', { path: 'message', remedy: 'Say what is to be done.' });
  if (state.capReached !== null) {
    const { cap, limit, value } = state.capReached;
    throw new DreamfoldError('budget_exceeded', `${state.id} reached its cap ${cap} = ${limit} (at ${value})`, {
      path: `caps/${cap}`,
      value: limit,
      remedy: 'Start a new session, with a higher cap if need be.',
    });
  }
  if (ifBusy === 'reject' && (state.status === 'running' || state.queue.length > 0)) {
    throw new DreamfoldError('session_busy', `${state.id} is running`, {
      path: 'session',
      value: state.id,
      remedy: 'Wait until it is idle, or send with ifBusy: "queue".',
    });
  }
  return [open('user.message', 'user', { content: text(message) })];
}

/**
 * Stops one thread and what is under it, or the whole session. Of a session that nobody has begun with, what was asked is withdrawn.
 * @returns [] when there is nothing to stop
 * @throws DreamfoldError not_found, session_ended
 */
export function interrupt(state: SessionState, threadId?: string): NewEvent[] {
  mustRun(state);
  if (threadId !== undefined && threadOf(state, threadId) === undefined) {
    throw new DreamfoldError('not_found', `${state.id} has no thread ${threadId}`, {
      path: 'thread',
      value: threadId,
      remedy: `Its threads: ${state.threads.map((t) => t.id).join(', ')}.`,
    });
  }
  const withdraws = waitsForTurn(state) && (threadId === undefined || threadId === state.threads[0]?.id);
  if (!withdraws && !state.threads.some((t) => t.running)) return [];
  return [open('user.interrupt', 'user', threadId === undefined ? {} : { session_thread_id: threadId })];
}

export interface Confirmation {
  toolUseId: string;
  result: 'allow' | 'deny';
  /** Told to the model when denied. */
  message?: string;
  /** The call that the person saw; a call that changed since is not approved. */
  callHash?: string;
  by?: string;
}

/**
 * A person's word on a call that waits for it.
 * @throws DreamfoldError approval_not_found, approval_already_used, approval_stale
 */
export function confirmTool(state: SessionState, confirmation: Confirmation): NewEvent[] {
  mustRun(state);
  const { toolUseId, result, message, callHash, by } = confirmation;
  const found = callOf(state, toolUseId);
  if (found === undefined || found.call.callHash === null) {
    throw new DreamfoldError('approval_not_found', `${state.id} has no call ${toolUseId} that waits for approval`, {
      path: 'call',
      value: toolUseId,
      remedy: 'See what waits with `dreamfold show`.',
    });
  }
  if (found.call.status === 'stale' || (callHash !== undefined && callHash !== found.call.callHash)) {
    throw new DreamfoldError('approval_stale', `The call ${toolUseId} is not the one that was shown: the tool or its policy changed`, {
      path: 'call',
      value: toolUseId,
      remedy: 'Look at the call again, then decide.',
    });
  }
  if (found.call.status !== 'asked') {
    throw new DreamfoldError('approval_already_used', `The call ${toolUseId} was decided before`, {
      path: 'call',
      value: toolUseId,
      remedy: 'Nothing to do: an approval counts once.',
    });
  }
  const data = {
    result,
    tool_use_id: toolUseId,
    ...(message === undefined ? {} : { deny_message: message }),
    session_thread_id: found.thread.id,
  };
  return [open('user.tool_confirmation', by === undefined ? 'user' : `person:${by}`, data)];
}

export interface Judgement {
  criterion: string;
  score: number;
  reason: string;
  by: string;
}

/**
 * A person's score of a criterion that waits for one.
 * @throws DreamfoldError not_found, already_decided, invalid_argument
 */
export function judge(state: SessionState, { criterion, score, reason, by }: Judgement): NewEvent[] {
  mustRun(state);
  const { outcome } = state;
  const waits = unjudged(state);
  if (!(score >= 0 && score <= 1)) {
    throw new DreamfoldError('invalid_argument', `A score is a number from 0 to 1, not ${score}`, {
      path: 'score',
      value: score,
      remedy: 'Give a number from 0 to 1.',
    });
  }
  if (outcome?.evaluationId == null || !waits.includes(criterion)) {
    const decided = outcome?.judged.some((s) => s.id === criterion) === true;
    throw new DreamfoldError(
      decided ? 'already_decided' : 'not_found',
      `${state.id} does not wait for a person's score of ${JSON.stringify(criterion)}`,
      {
        path: 'criterion',
        value: criterion,
        remedy: waits.length > 0 ? `It waits for: ${waits.join(', ')}.` : 'It waits for no score.',
      },
    );
  }
  return [
    open('outcome.judged', `person:${by}`, {
      outcome_evaluation_start_id: outcome.evaluationId,
      criterion_id: criterion,
      score,
      reason,
      by,
    }),
  ];
}

/**
 * What came of a decision later. The judged event must stand in this session; the caller has looked.
 * @throws DreamfoldError not_found
 */
export function recordFeedback(state: SessionState, feedback: FeedbackRecorded): NewEvent[] {
  mustExist(state);
  return [open('feedback.recorded', `person:${feedback.by}`, feedback)];
}
