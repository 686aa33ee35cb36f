import { DreamfoldError, isDreamfoldError, type ErrorCode } from '@dreamfold/events';
import type { SessionState } from '../session/fold/state.ts';
import { backoffMs } from '../time/backoff.ts';
import {
  evolveWorker,
  isFirstToAsk,
  isLost,
  isNotOurs,
  isPastGroup,
  isToBeTaken,
  leaderless,
  wasOutrun,
  type Due,
  type Unfinished,
  type WorkerObservation,
  type WorkerState,
} from './worker-state.ts';

/** Pauses before a session is looked at again that another process was faster to claim. */
const LOOK_AGAIN = { firstMs: 1_000, maxMs: 30_000 };
/** So often, when nothing says that whoever runs it is gone. */
const MAX_LOOKS = 4;
/** Pauses before a look at what another worker has taken away: by then it knows if it has lost the partition. */
const OUTRUN = { firstMs: 4_000, maxMs: 30_000 };

/** Whoever is to take a session up does so within a tenth of this; members of the group go first, since newcomers may not live long. */
const UNTAKEN = { memberMs: 2_000, newcomerMs: 5_000, spreadMs: 1_000 };
/** A session that a worker took up because nobody did is its own until it has written nothing for so long. */
const SILENT_MS = 30_000;

/** Sessions that fail one after the other by a fault of the program, before it is the operator's turn. */
const MAX_FAILED = 10;

/** Errors of the log itself, for all sessions alike. */
const LOG_FAILURES: readonly ErrorCode[] = ['log_diverged', 'store_full', 'store_newer_than_code', 'store_read_only', 'store_unavailable'];

/** What happens to the sessions of a worker. @typeParam Result what a session came to */
export type WorkerNews<Result = unknown> =
  /** These partitions of the log are the worker's from now on. */
  | { type: 'assigned'; partitions: readonly number[] }
  | { type: 'taken'; session: string }
  /** It is finished, or waits for a person (`result.stopReason`). */
  | { type: 'rested'; session: string; result: Result }
  /** Its partition was given to another worker, which goes on with it. */
  | { type: 'handed_over'; session: string }
  /** Another process has claimed it. It goes on with it, or a worker that has the partition does: this one looks again. */
  | { type: 'lost'; session: string }
  /** Not run here, and not told again: this worker lacks its team, or the version that it was written by. */
  | { type: 'left'; session: string; error: DreamfoldError }
  /** A fault of the program stopped it here. Nothing is lost; whoever takes it over goes on. */
  | { type: 'failed'; session: string; error: unknown };

export type WorkerIntent<Result = unknown> =
  /** Look at the session, and claim it if it is to be taken; the claim says if it is taken up past the group. */
  | { type: 'claim'; session: string; untaken: boolean }
  /** Observe `due_again` after so many milliseconds. */
  | { type: 'look_again'; session: string; due: Due; afterMs: number }
  /** Let go of what runs here. */
  | { type: 'release'; session: string }
  | { type: 'tell'; news: WorkerNews<Result> }
  /** Nothing can be run any more. */
  | { type: 'give_up'; error: unknown };

/** What is to be done about what a worker gets to know. @param state before it */
export function decideWorker<Result>(state: WorkerState, seen: WorkerObservation<Result>): WorkerIntent<Result>[] {
  switch (seen.type) {
    case 'assigned': {
      if (state.isOver) return [];
      const { partitions } = seen;
      const lost = [...state.underWay].filter(([, { due }]) => isLost(partitions, due)).map(([session]) => release(session));
      return [tell({ type: 'assigned', partitions }), ...lost, ...lookAtLost(state, partitions)];
    }
    case 'found':
      return seen.isUntaken ? lookWhenUntaken(state, seen) : [];
    case 'heard':
      return isFirstToAsk(state, seen) ? lookWhenUntaken(state, seen) : [];
    case 'seen':
      return isToBeTaken(state, seen.session, seen.state) && !seen.hasTeam && !isPastGroup(state.underWay.get(seen.session)!.due)
        ? leave(state, leaderless(seen.state), { session: seen.session, error: noTeam(seen.state) })
        : [];
    case 'taken': {
      const { session } = seen;
      // It may have been on its way when the partition went.
      const isReleased = state.underWay.get(session)!.isReleased;
      return [...(isReleased ? [release(session)] : []), tell({ type: 'taken', session })];
    }
    case 'passed':
      return wasOutrun(state, seen.session) ? lookAgainWhenOutrun(state, seen.session) : lookAgain(state, seen.session);
    case 'rested':
      return [tell(seen)];
    case 'failed':
      return onFailed(state, seen);
    case 'over':
      return [...state.underWay.keys()].map(release);
    default:
      return [];
  }
}

/**
 * What a worker does from one observation to the next: takes note of it, and claims what there is room for.
 * @returns what is to be done, in this order
 */
export function stepWorker<Result>(state: WorkerState, seen: WorkerObservation<Result>): WorkerIntent<Result>[] {
  const intents = decideWorker(state, seen);
  evolveWorker(state, seen);
  for (const [session, due] of state.due) {
    if (state.isOver || state.underWay.size >= state.concurrency) break;
    evolveWorker(state, { type: 'claiming', session });
    intents.push({ type: 'claim', session, untaken: isPastGroup(due) && !state.assigned.has(due.partition) });
  }
  return intents;
}

/** Whoever is to take up what others have to may be gone: then anybody does. Not all at once. */
function lookWhenUntaken(
  state: WorkerState,
  { session, partition, seq, ageMs = 0 }: Pick<Unfinished, 'session' | 'partition' | 'seq'> & { ageMs?: number },
): WorkerIntent<never>[] {
  if (state.assigned.has(partition)) return [];
  const firstMs = state.isMember ? UNTAKEN.memberMs : UNTAKEN.newcomerMs;
  // One that lives for seconds only must not wait anew. A clock that is wrong makes it look too early at most, and the log decides.
  const afterMs = Math.max(0, firstMs - Math.max(0, ageMs)) + Math.floor(turnOf(state, session) * UNTAKEN.spreadMs);
  return [{ type: 'look_again', session, due: { partition, reason: 'untaken', looks: 0, seq }, afterMs }];
}

/** What this worker was to take up, and has not. */
function lookAtLost(state: WorkerState, partitions: readonly number[]): WorkerIntent<never>[] {
  const then = { ...state, assigned: new Set(partitions) };
  return [...state.untaken].flatMap(([session, seq]) => {
    const partition = state.unfinished.get(session);
    return partition !== undefined && state.assigned.has(partition) ? lookWhenUntaken(then, { session, partition, seq }) : [];
  });
}

/** From 0 to 1: where a worker stands among those that look at a session, in another order for each. FNV-1a. */
function turnOf({ seed }: WorkerState, session: string): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < session.length; i += 1) hash = Math.imul(hash ^ session.charCodeAt(i), 0x01000193);
  return (hash >>> 0) / 2 ** 32;
}

/** Whoever was faster may be gone, or may have let go of it before it heard of what is asked. */
function lookAgain(state: WorkerState, session: string): WorkerIntent<never>[] {
  const { due, keptAt } = state.underWay.get(session)!;
  if (!state.unfinished.has(session) || due.reason === 'untaken') return [];
  if (keptAt !== null) return [{ type: 'look_again', session, due: { ...due, seq: keptAt }, afterMs: SILENT_MS }];
  if (due.reason === 'asked' && due.looks >= MAX_LOOKS) return [];
  // Somebody has claimed it since its worker ended.
  const next: Due = due.reason === 'orphaned' ? { ...due, reason: 'abandoned' } : due;
  return [{ type: 'look_again', session, due: next, afterMs: backoffMs(due.looks + 1, LOOK_AGAIN) }];
}

/** Who took it may have lost the partition before, and lets go of it when it hears so. Each time later: this one may be who has not heard. */
function lookAgainWhenOutrun(state: WorkerState, session: string): WorkerIntent<never>[] {
  if (!state.unfinished.has(session)) return [];
  const { partition } = state.underWay.get(session)!.due;
  const times = state.outrun.get(session) ?? 0;
  return [{ type: 'look_again', session, due: { partition, reason: 'outrun', looks: 0 }, afterMs: backoffMs(times + 1, OUTRUN) }];
}

/** Of one session, or of the log. */
function onFailed(state: WorkerState, { session, error }: { session: string; error: unknown }): WorkerIntent<never>[] {
  const { isTaken, isReleased } = state.underWay.get(session)!;
  const isFenced = isDreamfoldError(error, 'fenced');
  const again = isFenced && !isReleased ? lookAgainWhenOutrun(state, session) : [];
  if (state.isOver) return again;
  if (isReleased || isFenced) return isTaken ? [tell({ type: isReleased ? 'handed_over' : 'lost', session }), ...again] : again;
  if (isDreamfoldError(error) && LOG_FAILURES.includes(error.code)) return [{ type: 'give_up', error }];
  if (isNotOurs(error)) return leave(state, session, { session, error: error as DreamfoldError });
  const told = tell<never>({ type: 'failed', session, error });
  return state.failed + 1 === MAX_FAILED ? [told, { type: 'give_up', error }] : [told];
}

function leave({ left }: WorkerState, what: string, why: { session: string; error: DreamfoldError }): WorkerIntent<never>[] {
  return left.has(what) ? [] : [tell({ type: 'left', ...why })];
}

function noTeam({ id, team: { lead } }: SessionState): DreamfoldError {
  return new DreamfoldError('unknown_agent', `This worker has no team that ${lead} leads, so ${id} and its like are left alone`, {
    path: 'team',
    value: lead,
    remedy: 'Start a worker with the file of that team.',
  });
}

function tell<Result>(news: WorkerNews<Result>): WorkerIntent<Result> {
  return { type: 'tell', news };
}

function release(session: string): WorkerIntent<never> {
  return { type: 'release', session };
}
