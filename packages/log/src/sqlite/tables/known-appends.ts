import type { StoredEvent } from '@dreamfold/events';

/** Ids kept in memory, of all streams together; beyond that they are asked for again. */
const MAX_IDS = 16_384;

interface Place {
  /** Where the append begins in its stream. */
  seq: number;
  /** Number of its events. */
  n: number;
}

/**
 * The appends of streams that were begun on this connection, and that no other connection has written to since: all of them are
 * known, so that whether an id was used need not be asked of the database.
 */
export class KnownAppends {
  readonly #streams = new Map<number, Map<string, Place>>();
  #ids = 0;

  /** By id; undefined for a stream of which not all appends are known. */
  of(streamId: number): ReadonlyMap<string, Place> | undefined {
    return this.#streams.get(streamId);
  }

  add(streamId: number, append: readonly StoredEvent[]): void {
    const { seq, append: whole } = append[0]!;
    if (this.#ids >= MAX_IDS) this.clear();
    if (seq === 1) this.#streams.set(streamId, new Map());
    const known = this.#streams.get(streamId);
    if (known === undefined) return;
    known.set(whole.id, { seq, n: append.length });
    this.#ids += 1;
  }

  clear(): void {
    this.#streams.clear();
    this.#ids = 0;
  }
}
