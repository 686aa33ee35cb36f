import { arg, checkMethods, DreamfoldError, functionOf } from '@dreamfold/events';
import type { Log } from '@dreamfold/log';
import {
  dreamRowOf,
  sessionRowOf,
  storeRowOf,
  type DreamRow,
  type DreamRowState,
  type Processor,
  type ProposalRow,
  type SessionRow,
  type SessionRowState,
  type SessionStatus,
  type StoreRow,
  type StoreRowState,
} from '@dreamfold/views';
import { z } from 'zod';
import { openMemoryStore } from './memory-store.ts';
import { NEVER_ALONE, StoreFault, type Condition, type Facet, type PageOf, type ProjectionStore, type Row } from './port.ts';
import { Projections, type OnProgress } from './projections.ts';
import {
  DreamQueryShape,
  ProposalQueryShape,
  SessionQueryShape,
  type DreamQuery,
  type PageQuery,
  type ProposalQuery,
  type SessionQuery,
} from './queries.ts';

/** Some rows of a list. */
export interface Page<R> {
  rows: R[];
  /** How many rows the filters let through, on this page and on others. */
  total: number;
  /** What `after` is for the next page; null on the last one. */
  next: string | null;
}

/** Says how a list is made where its projection cannot be kept. */
export interface ListNotice {
  kind: 'list_in_memory';
  message: string;
}

/** What is kept of a log, and what keeps it up to date. */
interface Kept {
  store: ProjectionStore;
  projections: Projections;
}

export interface ListsParts {
  log: Log;
  /** Opens the place where rows are kept; in memory when left out. */
  openStore?: () => ProjectionStore | Promise<ProjectionStore>;
  /** Who runs the sessions of the log, as of now. */
  processor: () => Processor;
  onNotice?: (notice: ListNotice) => void;
}

/**
 * The lists of a log: sessions, proposals, stores, dreams. Each is answered from rows that are kept, after what is new on the log was
 * folded into them: what that costs does not grow with the log.
 */
export class Lists {
  readonly #parts: ListsParts;
  #kept: Kept | null = null;
  /** One at a time, so that the next begins with what the log holds then. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: ListsParts) {
    this.#parts = parts;
  }

  /**
   * Sessions, newest first unless `order` says otherwise.
   * @throws DreamfoldError invalid_argument; not_found (`after` names no session)
   */
  async sessions(query: SessionQuery = {}): Promise<Page<SessionRow>> {
    const processor = this.#parts.processor();
    const { status, agent, principal, outcome, since, until, title } = query;
    const where: Condition[] = [
      ...(status === undefined ? [] : ofStatus(status, processor)),
      ...equal('agent', agent),
      ...equal('principal', principal),
      ...equal('outcome', outcome),
      ...(since === undefined ? [] : [{ facet: 'time', is: 'atLeast', value: Number(since) } as const]),
      ...(until === undefined ? [] : [{ facet: 'time', is: 'below', value: Number(until) } as const]),
      ...(title === undefined ? [] : [{ facet: 'title', is: 'containing', value: title.toLowerCase() } as const]),
    ];
    return this.#page({ view: 'sessions', where }, query, ({ state }) => sessionRowOf(state as SessionRowState, processor));
  }

  /**
   * Patches of memory stores, newest first unless `order` says otherwise.
   * @throws DreamfoldError invalid_argument; not_found (`after` names no patch)
   */
  async proposals(query: ProposalQuery = {}): Promise<Page<ProposalRow>> {
    const where = [...equal('status', query.status), ...equal('store', query.store)];
    return this.#page({ view: 'proposals', where }, query, ({ state }) => state as ProposalRow);
  }

  /** All memory stores, oldest first. */
  async stores(): Promise<StoreRow[]> {
    const { rows } = await this.#page({ view: 'stores', where: [] }, { order: 'oldest' }, ({ state }) =>
      storeRowOf(state as StoreRowState),
    );
    return rows;
  }

  /**
   * Dreams, newest first unless `order` says otherwise.
   * @throws DreamfoldError invalid_argument; not_found (`after` names no dream)
   */
  async dreams(query: DreamQuery = {}): Promise<Page<DreamRow>> {
    const where = [...equal('status', query.status), ...equal('store', query.store)];
    return this.#page({ view: 'dreams', where }, query, ({ state }) => dreamRowOf(state as DreamRowState));
  }

  /** Patches whose ids begin with a prefix, in the order of their ids. @param limit how many are wanted at most */
  async findProposals(prefix: string, limit: number): Promise<ProposalRow[]> {
    return this.#ask((store) => store.beginningWith('proposals', prefix, limit).map(({ state }) => state as ProposalRow));
  }

  /** Dreams whose ids begin with a prefix, in the order of their ids. @param limit how many are wanted at most */
  async findDreams(prefix: string, limit: number): Promise<DreamRow[]> {
    return this.#ask((store) => store.beginningWith('dreams', prefix, limit).map(({ state }) => dreamRowOf(state as DreamRowState)));
  }

  /** Folds what is new on the log, and lets go of what was erased of it. The lists do so themselves, before they answer. */
  async catchUp(onProgress?: OnProgress): Promise<void> {
    await this.#ask(() => {}, onProgress);
  }

  close(): void {
    this.#kept?.store.close();
    this.#kept = null;
  }

  async #page<R>(of: Pick<PageOf, 'view' | 'where'>, query: PageQuery, rowOf: (row: Row) => R): Promise<Page<R>> {
    const { limit, after, order = 'newest', onProgress } = query;
    return this.#ask((store) => {
      const total = store.count(of);
      const begin = after === undefined ? {} : { after: placeOf(store, of.view, after) };
      // One more than is wanted tells whether there is a next page.
      const found = store.page({ ...of, order, ...begin, ...(limit === undefined ? {} : { limit: limit + 1 }) });
      const rows = found.slice(0, limit);
      return { rows: rows.map(rowOf), total, next: found.length > rows.length ? (rows.at(-1)?.key ?? null) : null };
    }, onProgress);
  }

  async #ask<T>(answer: (store: ProjectionStore) => T, onProgress?: OnProgress): Promise<T> {
    const asked = this.#last.then(() => this.#answer(answer, onProgress));
    this.#last = asked.catch(() => {});
    return asked;
  }

  /** What is damaged is built again; where the rows cannot be kept, they are folded in memory, as long as this lives. */
  async #answer<T>(answer: (store: ProjectionStore) => T, onProgress: OnProgress | undefined): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { store, projections } = await this.#open();
        await projections.catchUp(onProgress);
        return answer(store);
      } catch (error) {
        if (!(error instanceof StoreFault)) throw error;
        this.#recover(error, attempt);
      }
    }
  }

  async #open(): Promise<Kept> {
    if (this.#kept !== null) return this.#kept;
    const store = (await this.#parts.openStore?.()) ?? openMemoryStore();
    return (this.#kept = { store, projections: new Projections(this.#parts.log, store) });
  }

  #recover(fault: StoreFault, attempt: number): void {
    if (fault.isDamage && attempt === 1 && this.#kept !== null) {
      const { store } = this.#kept;
      try {
        store.reset();
        this.#kept = { store, projections: new Projections(this.#parts.log, store) };
        return;
      } catch (error) {
        if (!(error instanceof StoreFault)) throw error;
      }
    }
    this.#kept?.store.close();
    const store = openMemoryStore();
    this.#kept = { store, projections: new Projections(this.#parts.log, store) };
    this.#parts.onNotice?.({ kind: 'list_in_memory', message: `Lists are folded in memory, from the whole log: ${fault.message}` });
  }
}

/** A status depends on who runs sessions now, so it is asked for by what is kept of a session and by that. */
function ofStatus(status: SessionStatus, processor: Processor): Condition[] {
  const since = processor === 'unknown' ? Number.MIN_SAFE_INTEGER : (processor?.since ?? NEVER_ALONE);
  if (status === 'unattended') return [{ facet: 'alone', is: 'below', value: since }];
  return [
    { facet: 'status', is: 'equal', value: status },
    { facet: 'alone', is: 'atLeast', value: since },
  ];
}

function equal(facet: Facet, value: string | undefined): Condition[] {
  return value === undefined ? [] : [{ facet, is: 'equal', value }];
}

/** The place of the row that a page comes after. */
function placeOf(store: ProjectionStore, view: string, key: string): Pick<Row, 'age' | 'key'> {
  const [row] = store.beginningWith(view, key, 1);
  if (row?.key === key) return row;
  throw new DreamfoldError('not_found', `The list of ${view} has no ${key}`, {
    path: 'after',
    value: key,
    remedy: 'Give the `next` of the page before, or the id of its last row.',
  });
}

checkMethods(Lists, 'lists', {
  sessions: [arg('query', SessionQueryShape.optional())],
  proposals: [arg('query', ProposalQueryShape.optional())],
  stores: [],
  dreams: [arg('query', DreamQueryShape.optional())],
  findProposals: [arg('prefix', z.string()), arg('limit', z.int().min(1))],
  findDreams: [arg('prefix', z.string()), arg('limit', z.int().min(1))],
  catchUp: [arg('onProgress', functionOf<OnProgress>().optional())],
  close: [],
});
