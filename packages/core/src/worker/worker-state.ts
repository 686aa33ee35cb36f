import { isDreamfoldError, type ErrorCode } from '@dreamfold/events';
import { hasSomethingToDo, type SessionRest } from '../session/rest.ts';
import type { SessionState } from '../session/fold/state.ts';

/**
 * Why a session is to be taken, the weakest reason first: nobody has taken it up for a while, though somebody asks for something, and its
 * partition is another worker's; somebody asks for something, which counts while nobody runs it; another worker has claimed it, though its
 * partition is this one's; whoever ran it has lost the partition; or the worker had it that was in this one's place before, and has ended.
 */
const REASONS = ['untaken', 'asked', 'outrun', 'abandoned', 'orphaned'] as const;

export interface Due {
  partition: number;
  reason: (typeof REASONS)[number];
  /** How often it was looked at in vain. */
  looks: number;
  /** Of `untaken`, the event that asks. Else the newest one when it was looked at, if it is to be taken only when nothing came since. */
  seq?: number;
}

/** A session that is being claimed, or is under way here. */
export interface UnderWay {
  due: Due;
  isTaken: boolean;
  /** Somebody else is to go on with it. */
  isReleased: boolean;
  /** Why it is to be taken once more after this: it may not have heard of it. */
  again: Due | null;
  /** Of the first look at it; a later one means that another process has claimed it meanwhile. */
  epoch: number | null;
  /** Another worker ran it when it was looked at. */
  isOutrun: boolean;
  /** When it was looked at, its newest event, if it was run by a worker that had taken it up because nobody did. */
  keptAt: number | null;
}

/** What a worker knows of the sessions of a log. Each of its maps is changed where it stands: there may be many sessions. */
export interface WorkerState {
  /** So many sessions are under way at most. */
  readonly concurrency: number;
  /** Any number that other workers hardly have. */
  readonly seed: number;
  /** This worker's place among the nodes of the log; null where there are no others. */
  readonly node: string | null;
  /** Whether the others have ever counted on it. */
  isMember: boolean;
  /** The partitions that are this worker's. */
  assigned: ReadonlySet<number>;
  /** Every session of the log that is not at rest, with its partition, but for those that are left alone. */
  readonly unfinished: Map<string, number>;
  /** Of those that ask for something and that nobody has claimed since, the event that asks. */
  readonly untaken: Map<string, number>;
  /** Left alone, and nothing was heard of them since. */
  readonly passedOver: Set<string>;
  /** To be claimed, in their order. */
  readonly due: Map<string, Due>;
  readonly underWay: Map<string, UnderWay>;
  /** How often another worker had claimed a session of a partition that is this one's. */
  readonly outrun: Map<string, number>;
  /** What was left alone, so that it is told once. */
  readonly left: Set<string>;
  /** Sessions that failed here since one came to rest. */
  failed: number;
  isOver: boolean;
}

export interface WorkerSetup {
  concurrency: number;
  seed: number;
  node?: string | null;
}

/**
 * A worker that knows nothing yet.
 * @param options `concurrency`: sessions that it runs at once, at most; `seed`: any number, another one for each worker; `node`: its place
 */
export function initialWorker({ concurrency, seed, node = null }: WorkerSetup): WorkerState {
  return {
    concurrency,
    seed,
    node,
    isMember: false,
    assigned: new Set(),
    unfinished: new Map(),
    untaken: new Map(),
    passedOver: new Set(),
    due: new Map(),
    underWay: new Map(),
    outrun: new Map(),
    left: new Set(),
    failed: 0,
    isOver: false,
  };
}

/** A session that is not at rest stands on the log. */
export interface Unfinished {
  type: 'found';
  session: string;
  partition: number;
  seq: number;
  /** It asks for something, and nobody has claimed it since. */
  isUntaken: boolean;
  /** For so long, by the clocks of the log and of this machine. */
  ageMs: number;
  /** The place of the worker that runs it; null where nobody does. */
  claimedBy: string | null;
}

/** An event of a session came onto the log. */
export interface Heard {
  type: 'heard';
  session: string;
  partition: number;
  seq: number;
  rest: SessionRest | null;
  /** Whoever wrote it runs the session from there on. */
  isClaim: boolean;
  runsHere: boolean;
}

/** What a worker gets to know. @typeParam Result what a session came to */
export type WorkerObservation<Result = unknown> =
  /** As the log's port tells whoever joins those that share it out (OnAssigned). */
  | { type: 'assigned'; partitions: readonly number[]; wasMember: boolean }
  | Unfinished
  | Heard
  /** The time has come to look at it again. */
  | { type: 'due_again'; session: string; due: Due }
  /** It is being claimed. */
  | { type: 'claiming'; session: string }
  /** It was looked at before it is claimed. */
  | { type: 'seen'; session: string; state: SessionState; hasTeam: boolean }
  | { type: 'taken'; session: string }
  /** It was not taken: there is nothing to do, or somebody else does it. */
  | { type: 'passed'; session: string }
  | { type: 'rested'; session: string; result: Result }
  | { type: 'failed'; session: string; error: unknown }
  /** The worker ends. */
  | { type: 'over' };

/** Errors that no other attempt of this worker would get round. */
const NOT_OURS: readonly ErrorCode[] = ['not_found', 'session_ended', 'unknown_agent', 'unsupported_schema_version'];

/** Whether an error says that a session is not for this worker. */
export function isNotOurs(error: unknown): boolean {
  return isDreamfoldError(error) && NOT_OURS.includes(error.code);
}

/**
 * Takes note of what a worker gets to know.
 * @returns the state that it was given, changed
 */
export function evolveWorker(state: WorkerState, seen: WorkerObservation): WorkerState {
  switch (seen.type) {
    case 'assigned':
      assign(state, seen);
      break;
    case 'found':
      state.unfinished.set(seen.session, seen.partition);
      if (seen.isUntaken) state.untaken.set(seen.session, seen.seq);
      if (isOwn(state, seen)) enqueue(state, seen.session, dueAt(seen.partition, 'orphaned'));
      else if (state.assigned.has(seen.partition)) enqueue(state, seen.session, dueAt(seen.partition, 'abandoned'));
      break;
    case 'heard':
      hear(state, seen);
      break;
    case 'due_again':
      if (isStillDue(state, seen.session, seen.due)) enqueue(state, seen.session, { ...seen.due, looks: seen.due.looks + 1 });
      break;
    case 'claiming':
      state.underWay.set(seen.session, {
        ...{ due: state.due.get(seen.session)!, isTaken: false, isReleased: false },
        ...{ again: null, epoch: null, isOutrun: false, keptAt: null },
      });
      state.due.delete(seen.session);
      break;
    case 'seen':
      look(state, seen);
      break;
    case 'taken':
      state.underWay.get(seen.session)!.isTaken = true;
      state.untaken.delete(seen.session);
      break;
    case 'passed':
      if (wasOutrun(state, seen.session)) countOutrun(state, seen.session);
      end(state, seen.session);
      break;
    case 'rested':
      state.failed = 0;
      end(state, seen.session);
      break;
    case 'failed':
      fail(state, seen);
      end(state, seen.session);
      break;
    case 'over':
      state.isOver = true;
      for (const one of state.underWay.values()) one.isReleased = true;
      break;
  }
  return state;
}

function assign(state: WorkerState, { partitions, wasMember }: Extract<WorkerObservation, { type: 'assigned' }>): void {
  if (state.isOver) return;
  state.isMember = true;
  // What it kept by name only, others may have run meanwhile, and let go of.
  const kept = wasMember ? state.assigned : new Set();
  state.assigned = new Set(partitions);
  for (const [session, due] of state.due) if (isLost(partitions, due)) state.due.delete(session);
  for (const one of state.underWay.values()) if (isLost(partitions, one.due)) one.isReleased = true;
  for (const [session, partition] of state.unfinished) {
    const isKept = kept.has(partition) && state.underWay.has(session);
    // Also of a partition that it keeps: somebody who lost it, and did not know yet, may have claimed a session there.
    if (state.assigned.has(partition) && !isKept) enqueue(state, session, dueAt(partition, 'abandoned'));
  }
}

/** Whether a session is another worker's, since its partition is. What was taken up for no partition is nobody's by its partition. */
export function isLost(assigned: readonly number[], due: Due): boolean {
  return !isPastGroup(due) && !assigned.includes(due.partition);
}

/** Whether a session is taken up whoever has its partition. */
export function isPastGroup({ reason }: Pick<Due, 'reason'>): boolean {
  return reason === 'untaken' || reason === 'orphaned';
}

/** Whether the worker that was in this one's place before has a session. */
function isOwn({ node }: WorkerState, { claimedBy }: Pick<SessionState, 'claimedBy'>): boolean {
  return node !== null && claimedBy === node;
}

/** Whether an event is the first to ask something of a session that nobody runs. */
export function isFirstToAsk({ unfinished, isOver }: WorkerState, { session, rest, runsHere }: Heard): boolean {
  return rest === 'asked' && !runsHere && !unfinished.has(session) && !isOver;
}

function hear(state: WorkerState, heard: Heard): void {
  const { session, partition, seq, rest, isClaim, runsHere } = heard;
  if (isFirstToAsk(state, heard)) state.untaken.set(session, seq);
  else if (isClaim || (rest !== null && rest !== 'asked')) state.untaken.delete(session);
  const wasPassedOver = state.passedOver.delete(session);
  if (rest === 'ended' || rest === 'waiting') {
    state.unfinished.delete(session);
    state.outrun.delete(session);
  } else if (rest !== null || wasPassedOver) state.unfinished.set(session, partition);
  if (!runsHere && rest === 'asked' && state.assigned.has(partition)) enqueue(state, session, dueAt(partition, 'asked'));
}

function look(state: WorkerState, { session, state: found, hasTeam }: Extract<WorkerObservation, { type: 'seen' }>): void {
  const one = state.underWay.get(session)!;
  one.epoch ??= found.epoch;
  const runsElsewhere = found.status !== 'idle' && found.claimedByWorker;
  one.isOutrun = runsElsewhere && !found.claimedUntaken;
  one.keptAt = runsElsewhere && found.claimedUntaken ? found.seq : null;
  if (!hasSomethingToDo(found)) state.unfinished.delete(session);
  else if (isToBeTaken(state, session, found) && !hasTeam && !isPastGroup(one.due)) leave(state, session, leaderless(found));
}

function fail(state: WorkerState, { session, error }: Extract<WorkerObservation, { type: 'failed' }>): void {
  const { isReleased } = state.underWay.get(session)!;
  const isFenced = isDreamfoldError(error, 'fenced');
  if (isFenced && !isReleased) countOutrun(state, session);
  if (state.isOver || isReleased || isFenced) return;
  if (isNotOurs(error)) leave(state, session, session);
  else state.failed += 1;
}

/** It would be read for ever, and to no end: only what happens to it can make it this worker's. */
function leave(state: WorkerState, session: string, what: string): void {
  if (state.unfinished.delete(session)) state.passedOver.add(session);
  state.left.add(what);
}

function end(state: WorkerState, session: string): void {
  const { again, isTaken, isReleased } = state.underWay.get(session)!;
  state.underWay.delete(session);
  // While it ran here, nobody had abandoned it.
  const next = again !== null && isTaken && !isReleased ? { ...again, reason: 'asked' as const } : again;
  if (next !== null && state.assigned.has(next.partition)) enqueue(state, session, next);
}

function enqueue(state: WorkerState, session: string, due: Due): void {
  if (state.isOver) return;
  const underWay = state.underWay.get(session);
  const before = underWay === undefined ? state.due.get(session) : underWay.again;
  const both = before != null && REASONS.indexOf(before.reason) > REASONS.indexOf(due.reason) ? before : due;
  if (underWay !== undefined) underWay.again = both;
  else state.due.set(session, both);
}

function countOutrun({ outrun }: WorkerState, session: string): void {
  outrun.set(session, (outrun.get(session) ?? 0) + 1);
}

function isStillDue(state: WorkerState, session: string, { partition, reason, seq }: Due): boolean {
  if (state.underWay.has(session) || !state.unfinished.has(session)) return false;
  const isOurs = state.assigned.has(partition);
  // What is ours by now is due for a better reason.
  return reason === 'untaken' ? !isOurs && state.untaken.get(session) === seq : isOurs;
}

function dueAt(partition: number, reason: Due['reason']): Due {
  return { partition, reason, looks: 0 };
}

/** Whether another worker was faster, and may have lost the partition before. */
export function wasOutrun({ underWay }: WorkerState, session: string): boolean {
  const { due, isOutrun } = underWay.get(session)!;
  return isOutrun && due.reason !== 'abandoned' && !isPastGroup(due);
}

/** Whether a session that is being claimed is this worker's to take: not when another process claims it meanwhile. */
export function isToBeTaken(state: WorkerState, session: string, found: SessionState): boolean {
  const { due, epoch } = state.underWay.get(session)!;
  return isDueAs(state, due, found) && (epoch === null || epoch === found.epoch) && hasSomethingToDo(found);
}

function isDueAs(state: WorkerState, { reason, seq }: Due, found: SessionState): boolean {
  if (reason === 'untaken') return found.status === 'idle' && state.untaken.get(found.id) === seq;
  if (reason === 'orphaned') return found.status !== 'idle' && isOwn(state, found);
  if (found.status === 'idle') return true;
  // No partition that goes from one to another says that its worker is gone: only its silence does.
  if (found.claimedUntaken) return seq === found.seq;
  return reason === 'abandoned' || (reason === 'outrun' && found.claimedByWorker);
}

/** What a worker lacks whose team no session of a lead can have: it is told once. */
export function leaderless({ team }: SessionState): string {
  return `lead ${team.lead}`;
}
