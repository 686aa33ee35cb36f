import { isUndecided } from '@dreamfold/core';
import { idOfStream, type LogEvent } from '@dreamfold/events';
import {
  evolveDreamRow,
  evolveProposalRow,
  evolveSessionRow,
  evolveStoreRow,
  initialDreamRow,
  initialSessionRow,
  initialStoreRow,
  proposalOfEvent,
  rowHasSomethingToDo,
  sessionRowOf,
  type DreamRowState,
  type ProposalRowState,
  type SessionRowState,
  type StoreRowState,
} from '@dreamfold/views';
import { NEVER_ALONE, type Facets } from './port.ts';

/** How the streams of a kind fold into rows, and what those are found by. */
export interface View<State = unknown> {
  readonly name: string;
  /** Raised with whatever its rows hold: those of an older one are built again. */
  readonly version: number;
  /** The part of a stream's name before the slash. */
  readonly kind: string;
  /** Which row an event is for; null for none. */
  keyOf(event: LogEvent): string | null;
  /** Before the first event of a row. */
  initial(key: string): State;
  evolve(state: State, event: LogEvent): State;
  facets(state: State): Partial<Facets>;
}

const NO_FACETS: Facets = {
  ...{ status: null, store: null, agent: null, principal: null, outcome: null, title: null },
  ...{ time: 0, alone: NEVER_ALONE },
};

export function facetsOf(view: View, state: unknown): Facets {
  return { ...NO_FACETS, ...view.facets(state) };
}

/** A session that is idle waits for the next process; one that is under way, for one that came after its last claim. */
function aloneOf(state: SessionRowState): number {
  if (!rowHasSomethingToDo(state)) return NEVER_ALONE;
  return state.status === 'running' ? state.claimedAt : NEVER_ALONE - 1;
}

const SESSIONS: View<SessionRowState> = {
  name: 'sessions',
  version: 2,
  kind: 'session',
  keyOf: ({ stream }) => idOfStream(stream),
  initial: initialSessionRow,
  evolve: evolveSessionRow,
  facets: (state) => {
    const { status, agent, principal, outcome, title } = sessionRowOf(state);
    return { status, agent, principal, outcome, title: title.toLowerCase(), time: state.createdAt, alone: aloneOf(state) };
  },
};

const PROPOSALS: View<ProposalRowState> = {
  name: 'proposals',
  version: 1,
  kind: 'memory',
  keyOf: proposalOfEvent,
  initial: () => null,
  evolve: evolveProposalRow,
  facets: (state) => {
    if (state === null) return {};
    const { status, time } = state.record;
    return { store: state.store, time, status: isUndecided(status) ? 'waiting' : status };
  },
};

const STORES: View<StoreRowState> = {
  name: 'stores',
  version: 1,
  kind: 'memory',
  keyOf: ({ stream }) => idOfStream(stream),
  initial: initialStoreRow,
  evolve: evolveStoreRow,
  facets: () => ({}),
};

const DREAMS: View<DreamRowState> = {
  name: 'dreams',
  version: 1,
  kind: 'dream',
  keyOf: ({ stream }) => idOfStream(stream),
  initial: initialDreamRow,
  evolve: evolveDreamRow,
  facets: ({ status, store }) => ({ status, store }),
};

export const VIEWS = [SESSIONS, PROPOSALS, STORES, DREAMS] as unknown as readonly View[];

/** Names the folds that rows are made by. */
export const FOLDS = VIEWS.map(({ name, version }) => `${name}@${version}`).join(' ');

/** The views that a stream has rows in. */
export function viewsOf(stream: string): readonly View[] {
  const kind = stream.slice(0, stream.indexOf('/'));
  return VIEWS.filter((view) => view.kind === kind);
}
