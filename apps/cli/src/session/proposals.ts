import type { Dreamfold, ProposalQuery, ProposalRow } from 'dreamfold';
import { findByPrefix, MAX_SHOWN, withPrefix, type Sought } from './find-by-prefix.ts';

/** A patch of a memory store. */
export interface Proposal {
  id: string;
  store: { id: string; name: string };
  record: ProposalRow['record'];
}

const PATCHES: Sought = {
  what: 'patch',
  plural: 'patches',
  idPrefix: 'patch_',
  remedy: 'List them with `dreamfold review list --all`.',
};

/**
 * Patches of all stores, or of one, the oldest first unless the query says otherwise.
 * @param query.store name or id
 * @throws DreamfoldError not_found (the store; what a page comes after)
 */
export async function proposalsOf(
  dreamfold: Dreamfold,
  query: ProposalQuery,
): Promise<{ rows: Proposal[]; total: number; next: string | null }> {
  const stores = await storesOf(dreamfold);
  const store = query.store === undefined ? {} : { store: await stores.idOf(query.store) };
  const page = await dreamfold.lists.proposals({ order: 'oldest', ...query, ...store });
  return { ...page, rows: page.rows.map((row) => ({ ...row, store: { id: row.store, name: stores.nameOf(row.store) } })) };
}

/** The memory stores, read once. */
export interface Stores {
  /** The name of a store by its id; of one whose beginning was erased, the id. */
  nameOf(id: string): string;
  /** @param store name or id @throws DreamfoldError not_found */
  idOf(store: string): Promise<string>;
}

export async function storesOf(dreamfold: Dreamfold): Promise<Stores> {
  const names = new Map((await dreamfold.lists.stores()).map(({ id, name }) => [id, name]));
  return {
    nameOf: (id) => names.get(id) || id,
    idOf: async (store) => {
      const id = dreamfold.memory.idOf(store);
      return names.has(id) ? id : (await dreamfold.memory.load(store)).id;
    },
  };
}

/** @param store name or id of the only store to look in @throws DreamfoldError not_found, invalid_argument */
export async function findProposal(dreamfold: Dreamfold, prefix: string, store?: string): Promise<Proposal> {
  const stores = await storesOf(dreamfold);
  const wanted = store === undefined ? null : await stores.idOf(store);
  const begun = prefix === '' ? [] : await dreamfold.lists.findProposals(withPrefix(prefix, PATCHES), MAX_SHOWN + 1);
  const found = findByPrefix(
    begun.filter((row) => wanted === null || row.store === wanted),
    prefix,
    PATCHES,
  );
  return { ...found, store: { id: found.store, name: stores.nameOf(found.store) } };
}
