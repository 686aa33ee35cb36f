import {
  foldKnown,
  knownEvent,
  type DreamRefined,
  type DreamReviewed,
  type DreamStarted,
  type Finding,
  type GateVerdict,
  type InsightProposed,
  type LogEvent,
  type Uncounted,
} from '@dreamfold/events';
import type { TakenSuggestion } from './suggestion.ts';

export interface DreamtInsight extends Readonly<Pick<InsightProposed, 'change' | 'tier' | 'claim'>> {
  readonly insightId: string;
  /** The patch that holds what is null here; null where the insight became no patch, or an older Dreamfold recorded it. */
  readonly patchId: string | null;
  readonly insight: Finding | null;
  readonly reason: string | null;
  readonly evidence: readonly string[] | null;
  /** Set when a gate stopped it. */
  readonly rejected: readonly GateVerdict[] | null;
}

/** What a proposer has answered, or whoever asked for the dream has suggested. */
export interface DreamAnswer {
  readonly proposer: string;
  readonly suggestions: readonly TakenSuggestion[];
  readonly error: { readonly type: string; readonly message: string } | null;
}

/** A dream, folded from its stream. */
export interface DreamState {
  readonly status: 'new' | 'running' | 'completed' | 'failed' | 'cancelled';
  readonly started: DreamStarted | null;
  /** The process that dreams it; null where an older Dreamfold did not say. */
  readonly by: NonNullable<DreamStarted['by']> | null;
  readonly reviewed: { readonly sessions: DreamReviewed['sessions']; readonly decisions: number; readonly labelled: number };
  readonly isReviewed: boolean;
  /** The proposers that were asked. */
  readonly requested: readonly string[];
  readonly answers: readonly DreamAnswer[];
  /** What was decided, when it was decided last; null before that. */
  readonly refined: DreamRefined | null;
  /** How many of the insights that were decided on have been proposed, or stopped. */
  readonly settled: number;
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
  by: null,
  reviewed: { sessions: [], decisions: 0, labelled: 0 },
  isReviewed: false,
  requested: [],
  answers: [],
  refined: null,
  settled: 0,
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
  'dream.claimed': (state, { data: { by } }) => ({ ...state, by }),
  'dream.reviewed': (state, { data: { sessions, decisions, labelled } }) => ({
    ...state,
    reviewed: {
      sessions: [...state.reviewed.sessions, ...sessions],
      decisions: state.reviewed.decisions + decisions,
      labelled: state.reviewed.labelled + labelled,
    },
    // Its parts are one append.
    isReviewed: true,
  }),
  'dream.proposal_requested': (state, { data: { proposer } }) =>
    state.requested.includes(proposer) ? state : { ...state, requested: [...state.requested, proposer] },
  'dream.proposal_answered': (state, { data: { proposer, suggestions, error = null } }) => {
    const before = state.answers.find((answer) => answer.proposer === proposer);
    const answer = { proposer, suggestions: [...(before?.suggestions ?? []), ...suggestions], error };
    return { ...state, answers: [...state.answers.filter((other) => other !== before), answer] };
  },
  'dream.refined': (state, { data }) => ({ ...state, refined: data, settled: 0 }),
  'dream.insight_proposed': (state, { data: { insight_id: insightId, content, ...rest } }) => {
    const { insight, reason, evidence } = 'insight' in content ? content : { insight: null, reason: null, evidence: null };
    const patchId = 'patch_id' in content ? content.patch_id : null;
    const dreamt = { ...rest, insightId, patchId, insight, reason, evidence, rejected: null };
    return { ...state, settled: state.settled + 1, insights: [...state.insights, dreamt] };
  },
  'dream.insight_rejected': (state, { data: { insight_id, gates } }) => {
    const at = state.insights.findLastIndex(({ insightId }) => insightId === insight_id);
    return at === -1 ? state : { ...state, insights: state.insights.with(at, { ...state.insights[at]!, rejected: gates }) };
  },
  'dream.completed': (state, { data: { patch_ids, uncounted = [], nothing = null } }) => ({
    ...state,
    status: 'completed',
    patchIds: patch_ids,
    uncounted,
    nothing,
  }),
  'dream.failed': (state, { data: { error } }) => ({ ...state, status: 'failed', error }),
  'dream.cancelled': (state) => ({ ...state, status: 'cancelled' }),
});

/** Folds one event of a dream's stream. An event that makes no sense where it stands changes nothing. */
export function evolveDream(before: DreamState, logged: LogEvent): DreamState {
  const state = { ...before, seq: logged.seq, time: logged.time };
  const event = knownEvent(logged);
  if (event === null || event.data === null) return state;
  if (event.type === 'dream.started') {
    return state.status === 'new' ? { ...state, status: 'running', started: event.data, by: event.data.by ?? null } : state;
  }
  return state.status === 'running' ? foldRunning(state, event) : state;
}
