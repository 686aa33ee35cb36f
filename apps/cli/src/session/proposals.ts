import type { PatchRecord } from '@dreamfold/core';
import type { Dreamfold } from 'dreamfold';
import { findByPrefix } from './find-by-prefix.ts';

/** A patch of a memory store. */
export interface Proposal {
  id: string;
  store: { id: string; name: string };
  record: PatchRecord;
}

/** All patches of all stores, or of one, in the order in which they were proposed. @throws DreamfoldError not_found (the store) */
export async function proposalsOf(dreamfold: Dreamfold, store?: string): Promise<Proposal[]> {
  const stores = store === undefined ? await dreamfold.memory.list() : [await dreamfold.memory.load(store)];
  return stores.flatMap(({ id: storeId, state }) =>
    [...state.patches].map((record) => ({
      id: record.proposal.patch_id,
      store: { id: storeId, name: state.store?.name ?? storeId },
      record,
    })),
  );
}

/** @throws DreamfoldError not_found, invalid_argument */
export function findProposal(proposals: readonly Proposal[], prefix: string): Proposal {
  return findByPrefix(proposals, prefix, {
    what: 'patch',
    plural: 'patches',
    idPrefix: 'patch_',
    remedy: 'List them with `dreamfold review list --all`.',
  });
}
