/**
 * Lists of a log, kept up to date from a checkpoint.
 * @module @dreamfold/projections
 */
export { Lists, type ListNotice, type ListsParts, type Page } from './lists.ts';
export { openMemoryStore } from './memory-store.ts';
export {
  NEVER_ALONE,
  StoreFault,
  type Checkpoint,
  type Condition,
  type Facet,
  type Facets,
  type PageOf,
  type ProjectionStore,
  type Row,
  type Rows,
} from './port.ts';
export type { OnProgress } from './projections.ts';
export { DREAM_STATUSES, PROPOSAL_STATUSES, type DreamQuery, type PageQuery, type ProposalQuery, type SessionQuery } from './queries.ts';
