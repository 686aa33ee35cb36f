import {
  foldKnown,
  knownEvent,
  type DreamReviewed,
  type DreamStarted,
  type GateVerdict,
  type InsightProposed,
  type LogEvent,
  type Uncounted,
} from '@dreamfold/events';

export interface DreamtInsight extends Readonly<InsightProposed> {
  /** Set when a gate stopped it. */
  readonly rejected: readonly GateVerdict[] | null;
}

/** A dream, folded from its stream. */
export interface DreamState {
  readonly status: 'new' | 'running' | 'completed' | 'failed';
  readonly started: DreamStarted | null;
  readonly reviewed: { readonly sessions: DreamReviewed['sessions']; readonly decisions: number; readonly labelled: number };
  readonly insights: readonly DreamtInsight[];
  readonly patchIds: readonly string[];
  /** What of the feedback did not count, and why. */
  readonly uncounted: readonly Uncounted[];
  /** Why it proposed nothing, when it did not. */
  readonly nothing: string | null;
  readonly error: { readonly type: string; readonly message: string } | null;
  /** When its last event was written, in milliseconds since 1970. */
  readonly time: number;
  /** Its last event. */
  readonly seq: number;
}

export const initialDream: DreamState = {
  status: 'new',
  started: null,
  reviewed: { sessions: [], decisions: 0, labelled: 0 },
  insights: [],
  patchIds: [],
  uncounted: [],
  nothing: null,
  error: null,
  time: 0,
  seq: 0,
};

/** A dream that has not started, or has ended, changes no more. */
const foldRunning = foldKnown<DreamState>({
  'dream.reviewed': (state, { data: { sessions, decisions, labelled } }) => ({
    ...state,
    reviewed: {
      sessions: [...state.reviewed.sessions, ...sessions],
      decisions: state.reviewed.decisions + decisions,
      labelled: state.reviewed.labelled + labelled,
    },
  }),
  'dream.insight_proposed': (state, { data }) => ({ ...state, insights: [...state.insights, { ...data, rejected: null }] }),
  'dream.insight_rejected': (state, { data: { insight_id, gates } }) => ({
    ...state,
    insights: state.insights.map((dreamt) => (dreamt.insight.id === insight_id ? { ...dreamt, rejected: gates } : dreamt)),
  }),
  'dream.completed': (state, { data: { patch_ids, uncounted = [], nothing = null } }) => ({
    ...state,
    status: 'completed',
    patchIds: patch_ids,
    uncounted,
    nothing,
  }),
  'dream.failed': (state, { data: { error } }) => ({ ...state, status: 'failed', error }),
});

/** Folds one event of a dream's stream. An event that makes no sense where it stands changes nothing. */
export function evolveDream(before: DreamState, logged: LogEvent): DreamState {
  const state = { ...before, seq: logged.seq, time: logged.time };
  const event = knownEvent(logged);
  if (event === null || event.data === null) return state;
  if (event.type === 'dream.started') return state.status === 'new' ? { ...state, status: 'running', started: event.data } : state;
  return state.status === 'running' ? foldRunning(state, event, undefined) : state;
}
