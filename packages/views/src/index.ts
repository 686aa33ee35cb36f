/**
 * What Dreamfold shows, as pure folds of its events: the command line, a server and a console show the same.
 * @module @dreamfold/views
 */
export { isoTime } from './iso-time.ts';
export {
  alarmsOf,
  evolveProposalRow,
  isWaiting,
  proposalOfEvent,
  waitingIn,
  type ProposalRow,
  type ProposalRowState,
} from './memory/proposal-row.ts';
export { dreamRowOf, evolveDreamRow, initialDreamRow, type DreamRow, type DreamRowState } from './memory/dream-row.ts';
export { insightsOf, type InsightRecord } from './memory/insight-record.ts';
export { evolveStoreRow, initialStoreRow, storeRowOf, type StoreRow, type StoreRowState } from './memory/store-row.ts';
export { evolveCosts, NO_COSTS, sumOfCosts, type Cost, type CostsState } from './session/costs.ts';
export { evolveEffects, idempotencyKeyOf, initialEffects, type Effect, type EffectsState } from './session/effects.ts';
export { evolveSessionRow } from './session/evolve-row.ts';
export { citedStreams, evolveCited, NOTHING_CITED, splitRef, type CitedSession } from './session/evidence.ts';
export { initialSessionRow, rowHasSomethingToDo, type SessionRowState } from './session/row-state.ts';
export {
  isUnattended,
  OUTCOME_STATUSES,
  SESSION_STATUSES,
  sessionRow,
  sessionRowOf,
  type Processor,
  type SessionRow,
  type SessionStatus,
} from './session/session-row.ts';
export { schemaOf, waitingFor, type WaitingCall, type WaitingScore } from './session/waiting.ts';
