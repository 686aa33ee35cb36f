import { DELEGATE_TOOL, waitsForTurn } from '@dreamfold/core';
import type { StopReason } from '@dreamfold/events';

/** A call of a thread's newest answer that has no result yet. */
export interface RowCall {
  id: string;
  name: string;
  /** As in core: it waits for a person, was decided on, or runs. */
  status: 'asked' | 'confirmed' | 'denied' | 'stale' | 'running';
}

/** Of a thread, what tells whether it can go on by itself. */
export interface RowThread {
  id: string;
  agent: string;
  parent: string | null;
  running: boolean;
  interrupted: boolean;
  /** A model was asked, and has not answered. */
  requesting: boolean;
  /** Something keeps it from going on, until it is told to idle. */
  stopped: boolean;
  calls: readonly RowCall[];
}

export interface RowOutcome {
  id: string;
  description: string;
  status: 'working' | 'evaluating' | 'done';
  evaluationId: string | null;
  /** Criteria that a person scores, and those of them that are scored in the running evaluation. */
  asked: readonly string[];
  judged: readonly string[];
  scores: readonly number[];
  /** How many of the scores are of attempts before the user's newest message was taken up. */
  scoresBefore: number;
  result: string | null;
  endSeq: number | null;
}

/** What a list has to keep of a session to go on with its row: plain JSON, without messages, inputs or results. */
export interface SessionRowState {
  id: string;
  exists: boolean;
  seq: number;
  title: string | null;
  /** What the lead was asked first; '' before it took that up. */
  task: string;
  principal: string;
  authenticated: boolean;
  /** Name of the lead. */
  agent: string;
  imported: boolean;
  /** Ids of events that are newer than this code, and were not skipped. */
  newer: readonly string[];
  status: 'running' | 'idle';
  stopReason: StopReason['type'] | null;
  interrupted: boolean;
  capReached: boolean;
  claimedAt: number;
  /** The first is the lead's. */
  threads: readonly RowThread[];
  outcome: RowOutcome | null;
  importedScore: number | null;
  /** Messages that the lead has not taken up; their text is kept until it has a task. */
  queue: readonly { id: string; text: string }[];
  takenUpSeq: number;
  /** Milliseconds since 1970, of the first event and of the newest. */
  createdAt: number;
  now: number;
}

/** The state before the first event. */
export function initialSessionRow(id: string): SessionRowState {
  return {
    id,
    exists: false,
    seq: 0,
    title: null,
    task: '',
    principal: '',
    authenticated: false,
    agent: '',
    imported: false,
    newer: [],
    status: 'idle',
    stopReason: null,
    interrupted: false,
    capReached: false,
    claimedAt: 0,
    threads: [],
    outcome: null,
    importedScore: null,
    queue: [],
    takenUpSeq: 0,
    createdAt: 0,
    now: 0,
  };
}

/**
 * Whether whoever runs the session has anything to do, as `hasSomethingToDo` of core says of the whole session: never for a record, and
 * never for one that is newer than this code.
 */
export function rowHasSomethingToDo(state: SessionRowState): boolean {
  if (!state.exists || state.imported || state.newer.length > 0) return false;
  if (state.status === 'running' || (waitsForTurn(state) && !state.capReached)) return true;
  const { outcome } = state;
  const graded =
    outcome?.status === 'evaluating' && outcome.evaluationId !== null && outcome.asked.every((id) => outcome.judged.includes(id));
  return graded || state.threads.some((thread) => thread.running && canGoOn(state, thread));
}

function canGoOn({ capReached, outcome }: SessionRowState, thread: RowThread): boolean {
  if (thread.interrupted || thread.requesting) return true;
  const waits = thread.calls.every(
    ({ status, name }) => (status === 'asked' && !capReached) || (status === 'running' && name === DELEGATE_TOOL),
  );
  if (thread.calls.length > 0) return !waits;
  return thread.stopped || thread.parent !== null || outcome?.status !== 'evaluating' || capReached;
}
