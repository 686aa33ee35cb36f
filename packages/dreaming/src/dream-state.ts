import {
  knownEvent,
  type DreamReviewed,
  type DreamStarted,
  type EventData,
  type EventType,
  type GateVerdict,
  type Insight,
  type LogEvent,
} from '@dreamfold/events';

export interface DreamtInsight {
  readonly insight: Insight;
  readonly reason: string;
  readonly evidence: readonly string[];
  /** Set when a gate stopped it. */
  readonly rejected: readonly GateVerdict[] | null;
}

/** A dream, folded from its stream. */
export interface DreamState {
  readonly status: 'new' | 'running' | 'completed' | 'failed';
  readonly started: DreamStarted | null;
  readonly reviewed: DreamReviewed | null;
  readonly insights: readonly DreamtInsight[];
  readonly patchIds: readonly string[];
  readonly error: { readonly type: string; readonly message: string } | null;
}

export const initialDream: DreamState = { status: 'new', started: null, reviewed: null, insights: [], patchIds: [], error: null };

type Fold = { readonly [T in EventType]?: (state: DreamState, data: EventData[T]) => DreamState };

/** A dream that has not started, or has ended, changes no more. */
const RUNNING: Fold = {
  'dream.reviewed': (state, reviewed) => ({ ...state, reviewed }),
  'dream.insight_proposed': (state, proposed) => ({ ...state, insights: [...state.insights, { ...proposed, rejected: null }] }),
  'dream.insight_rejected': (state, { insight_id, gates }) => ({
    ...state,
    insights: state.insights.map((dreamt) => (dreamt.insight.id === insight_id ? { ...dreamt, rejected: gates } : dreamt)),
  }),
  'dream.completed': (state, { patch_ids }) => ({ ...state, status: 'completed', patchIds: patch_ids }),
  'dream.failed': (state, { error }) => ({ ...state, status: 'failed', error }),
};

/** Folds one event of a dream's stream. An event that makes no sense where it stands changes nothing. */
export function evolveDream(state: DreamState, logged: LogEvent): DreamState {
  const event = knownEvent(logged);
  if (event === null || event.data === null) return state;
  if (event.type === 'dream.started') return state.status === 'new' ? { ...state, status: 'running', started: event.data } : state;
  const fold = RUNNING[event.type] as ((state: DreamState, data: unknown) => DreamState) | undefined;
  return fold === undefined || state.status !== 'running' ? state : fold(state, event.data);
}
