import {
  DreamfoldError,
  LabellerClass,
  MAX_LABELLER_CHARS,
  checkName,
  labellerClassOf,
  text,
  type Content,
  type DefineOutcome,
  type EventSkipped,
  type FeedbackRecorded,
  type NewEvent,
  newEvent,
} from '@dreamfold/events';
import { unjudged } from '../decide.ts';
import { newerEvents, threadOf, waitsForTurn, type SessionState } from '../fold/state.ts';
import { givenContent } from './given-content.ts';

// What comes from outside: a user, a person who approves, a desk. Each checks against the state and returns `open` events.

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
        remedy: `Run it with a newer Dreamfold; or, when no Dreamfold of yours wrote that event, pass over it with \`dreamfold skip ${state.id} ${seq} --reason TEXT\`.`,
      },
    );
  }
}

/**
 * A message for the lead, in words or as `givenContent` gives it. It is queued while the lead is busy, or refused when `ifBusy` is 'reject'.
 * @throws DreamfoldError not_found, session_ended, session_busy, budget_exceeded
 */
export function sendMessage(state: SessionState, message: string | Content, ifBusy: 'queue' | 'reject' = 'queue'): NewEvent[] {
  mustTake(state, message);
  if (ifBusy === 'reject' && (state.status === 'running' || state.queue.length > 0)) {
    throw busy(state, 'Wait until it is idle, or send with ifBusy: "queue".');
  }
  return [newEvent('user.message', 'user', { content: typeof message === 'string' ? text(message) : message })];
}

/**
 * A message for the lead whose answer is graded: it begins an outcome of its own. Only while nothing else is under way or asked for, so
 * that the outcome has a turn to itself.
 * @throws DreamfoldError not_found, session_ended, session_busy, budget_exceeded
 */
export function askForOutcome(state: SessionState, outcome: DefineOutcome): NewEvent[] {
  mustTake(state, outcome.description);
  if (state.status === 'running' || state.queue.length > 0 || state.stopReason?.type === 'requires_action') {
    throw busy(state, 'Send a message with a rubric once the session is idle and waits for nobody.');
  }
  return [newEvent('user.define_outcome', 'user', outcome)];
}

function busy({ id }: SessionState, remedy: string): DreamfoldError {
  return new DreamfoldError('session_busy', `${id} is running`, { path: 'session', value: id, remedy });
}

/** That the lead may be told something. @throws DreamfoldError as sendMessage */
function mustTake(state: SessionState, message: string | Content): void {
  mustRun(state);
  if (!Array.isArray(message)) givenContent(message, 'message');
  if (state.capReached !== null) {
    const { cap, limit, value } = state.capReached;
    throw new DreamfoldError('budget_exceeded', `${state.id} reached its cap ${cap} = ${limit} (at ${value})`, {
      path: `caps/${cap}`,
      value: limit,
      remedy: 'Start a new session, with a higher cap if need be.',
    });
  }
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
  return [newEvent('user.interrupt', 'user', threadId === undefined ? {} : { session_thread_id: threadId })];
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
  checkBy(by);
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
    newEvent('outcome.judged', `person:${by}`, {
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
 * The class of whoever says so is recorded, also when it is the default.
 * @throws DreamfoldError not_found, invalid_argument, suspicious_unicode
 */
export function recordFeedback(state: SessionState, feedback: FeedbackRecorded): NewEvent[] {
  mustExist(state);
  checkBy(feedback.by);
  if (feedback.class !== undefined && !LabellerClass.safeParse(feedback.class).success) {
    throw new DreamfoldError('invalid_argument', `No class of labellers is called ${JSON.stringify(feedback.class)}`, {
      path: 'class',
      value: feedback.class,
      remedy: `Give one of ${LabellerClass.options.join(', ')}.`,
    });
  }
  return [newEvent('feedback.recorded', `person:${feedback.by}`, { ...feedback, class: labellerClassOf(feedback, state.principal) })];
}

/**
 * Passes over an event that is newer than this code, so that the session can go on without it.
 * @throws DreamfoldError invalid_argument when no such event suspends the session; suspicious_unicode
 */
export function skipEvent(state: SessionState, { event, reason, by }: EventSkipped): NewEvent[] {
  checkBy(by);
  if (!newerEvents(state).some(({ id }) => id === event)) {
    throw new DreamfoldError('invalid_argument', `${state.id} is not suspended by ${event}`, {
      path: 'event',
      value: event,
      remedy: 'Name the event that the error unsupported_schema_version names: only what this Dreamfold does not know is passed over.',
    });
  }
  return [newEvent('session.event_skipped', `person:${by}`, { event, reason, by })];
}

/** The door for the name of whoever approves, judges or labels. */
function checkBy(by: unknown): void {
  checkName(by, { path: 'by', maxChars: MAX_LABELLER_CHARS });
}
