import { foldKnown, knownEvent, type LogEvent } from '@dreamfold/events';

/** A dream in a list. */
export interface DreamRow {
  id: string;
  /** Id of the store that it proposes to; null when its beginning was erased. */
  store: string | null;
  status: 'new' | 'running' | 'completed' | 'failed' | 'cancelled';
  /** How many sessions it has reviewed. */
  sessions: number;
  insights: number;
  rejected: number;
  patchIds: readonly string[];
}

/** What a list has to keep of a dream: plain JSON, without what its insights say. */
export interface DreamRowState extends DreamRow {
  /** Ids of the insights that no gate has stopped. */
  standing: readonly string[];
}

/** The state before the first event. */
export function initialDreamRow(id: string): DreamRowState {
  return { id, store: null, status: 'new', sessions: 0, insights: 0, rejected: 0, patchIds: [], standing: [] };
}

/** A dream that has not started, or has ended, changes no more. */
const fold = foldKnown<DreamRowState>({
  'dream.reviewed': (state, { data }) => ({ ...state, sessions: state.sessions + data.sessions.length }),
  'dream.insight_proposed': (state, { data }) => ({
    ...state,
    insights: state.insights + 1,
    standing: [...state.standing, data.insight_id],
  }),
  'dream.insight_rejected': (state, { data }) => {
    const standing = state.standing.filter((id) => id !== data.insight_id);
    return { ...state, rejected: state.rejected + state.standing.length - standing.length, standing };
  },
  'dream.completed': (state, { data }) => ({ ...state, status: 'completed', patchIds: data.patch_ids, standing: [] }),
  'dream.failed': (state) => ({ ...state, status: 'failed', standing: [] }),
  'dream.cancelled': (state) => ({ ...state, status: 'cancelled', standing: [] }),
});

/** The row after one more event of the dream. */
export function evolveDreamRow(state: DreamRowState, event: LogEvent): DreamRowState {
  const known = knownEvent(event);
  if (known?.type === 'dream.started' && known.data !== null)
    return state.status === 'new' ? { ...state, status: 'running', store: known.data.store_id } : state;
  return known === null || state.status !== 'running' ? state : fold(state, known);
}

export function dreamRowOf(state: DreamRowState): DreamRow {
  const { standing: _, ...row } = state;
  return row;
}
