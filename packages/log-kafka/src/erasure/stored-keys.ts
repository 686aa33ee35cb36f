import type { SideStore } from '@dreamfold/log/backend';
import { eventKey, parseTree, type KeyTree } from './key-tree.ts';

/** Trees kept in memory are at most twice so many, those that were used last; each takes up to 4 KiB. Others are read from the store again. */
const MAX_CACHED = 1_024;

/** The keys that a side store holds, those used last also in memory. */
export class StoredKeys {
  readonly #store: Pick<SideStore, 'getKey'>;
  #trees = new Map<string, KeyTree>();
  /** Those that were there when the others began. */
  #elder: ReadonlyMap<string, KeyTree> = new Map();

  constructor(store: Pick<SideStore, 'getKey'>) {
    this.#store = store;
  }

  find(id: string): KeyTree | null {
    const cached = this.#trees.get(id);
    if (cached !== undefined) return cached;
    const tree = this.#elder.get(id) ?? this.#stored(id);
    if (tree !== null) this.keep(id, tree);
    return tree;
  }

  /** The key of an event, null when it was destroyed. */
  keyOf(id: string, seq: number): Uint8Array | null {
    const tree = this.find(id);
    return tree === null ? null : eventKey(tree, seq);
  }

  /** A tree that has just been stored. */
  keep(id: string, tree: KeyTree): void {
    this.#trees.set(id, tree);
    if (this.#trees.size < MAX_CACHED) return;
    this.#elder = this.#trees;
    this.#trees = new Map();
  }

  #stored(id: string): KeyTree | null {
    const text = this.#store.getKey(id);
    return text === null ? null : parseTree(text);
  }
}
