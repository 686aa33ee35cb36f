import type { Cursor } from '@dreamfold/log';

/** What rows are found by. A view leaves null what it does not know. */
export interface Facets {
  status: string | null;
  store: string | null;
  agent: string | null;
  principal: string | null;
  outcome: string | null;
  /** When it began, in milliseconds since 1970. */
  time: number;
  /** A process that runs sessions since a later time does nothing for it, in milliseconds since 1970; NEVER_ALONE when it needs nobody. */
  alone: number;
  /** Lower case. */
  title: string | null;
}

/** Later than any time. */
export const NEVER_ALONE = Number.MAX_SAFE_INTEGER;

export type Facet = keyof Facets;

/** A row of a view. Two rows are told apart by view, stream and key. */
export interface Row {
  view: string;
  stream: string;
  key: string;
  /** Its place among the rows of its view: of a log with one order the position of its first event, else that event's time and seq. */
  age: number;
  /** What the view has folded: plain JSON. */
  state: unknown;
  facets: Facets;
}

/** Which rows are meant; all conditions hold. */
export interface Condition {
  facet: Facet;
  is: 'equal' | 'below' | 'atLeast' | 'containing';
  value: string | number;
}

export interface PageOf {
  view: string;
  where: readonly Condition[];
  order: 'newest' | 'oldest';
  /** The row that the page comes after, in its order. */
  after?: Pick<Row, 'age' | 'key'>;
  /** Rows at most; all of them when left out. */
  limit?: number;
}

/** How far the rows are folded, and of what. */
export interface Checkpoint {
  logId: string;
  /** Names the folds: rows of other ones are built again. */
  folds: string;
  cursor: Cursor;
  /** Of each partition, the hash of the last event that was folded, '' before the first. */
  hashes: readonly string[];
  /** What had been erased of the log: see `Erasure.since`. */
  erasures: string;
}

/** The rows inside a transaction. */
export interface Rows {
  /** null before the first. */
  checkpoint(): Checkpoint | null;
  setCheckpoint(checkpoint: Checkpoint): void;
  get(row: Pick<Row, 'view' | 'stream' | 'key'>): Pick<Row, 'state' | 'age'> | null;
  put(row: Row): void;
  /** Takes the rows of a stream away, in all views, so that nothing of them is left. */
  forget(stream: string): void;
  /** Takes everything away, the checkpoint too. */
  clear(): void;
}

/**
 * Where projections are kept: rows, and in the same place how far they are folded. What it holds can be built again from the log at any
 * time. Its methods throw a StoreFault where it is damaged or cannot be used.
 */
export interface ProjectionStore {
  /** Runs with nobody else's transaction in between; all of it stands, or nothing when it throws. */
  transaction<T>(run: (rows: Rows) => T): T;
  checkpoint(): Checkpoint | null;
  page(of: PageOf): Row[];
  count(of: Pick<PageOf, 'view' | 'where'>): number;
  /** Rows of a view whose keys begin with a prefix, in the order of the keys. */
  beginningWith(view: string, prefix: string, limit: number): Row[];
  /** Throws away what is there, damaged or not, and begins anew. */
  reset(): void;
  close(): void;
}

/** The place where projections are kept is damaged, or cannot be used. */
export class StoreFault extends Error {
  override readonly name = 'StoreFault';
  /** What is there is not what was written: to begin anew helps. */
  readonly isDamage: boolean;

  constructor(message: string, options: { isDamage: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.isDamage = options.isDamage;
  }
}
