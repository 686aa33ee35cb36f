import { blobsNamedBy, type StoredEvent } from '@dreamfold/events';
import { erasedBy, seqOfEvent } from '../../rule/erasure.ts';
import type { Head } from '../../port.ts';
import { EMPTY_HEAD, type Counted } from '../../rule/rule.ts';
import type { BlobTable } from './blob-table.ts';
import type { EventTable } from './event-table.ts';
import type { LogHead } from '../database/head-file.ts';
import { KnownAppends } from './known-appends.ts';

/** Heads kept in memory; beyond that they are read again. */
const MAX_CACHED_HEADS = 4_096;

/** Ids that read like those of inner events; what the index `inner_like_ids` holds, or less. */
const INNER_LIKE = /-[0-9]+$/;

interface CountedOptions {
  /** Those of this log, which go with the last event that names them; left out where they are kept elsewhere. */
  blobs?: BlobTable;
  /** Told of each event that an erasure names, also of one whose payload was gone before. */
  onErased?: (streamId: number, seq: number) => void;
}

/** The events of a database as the rule looks at them, and the one way in which more are added. */
export class CountedEvents implements Counted {
  readonly table: EventTable;
  /** The newest event. */
  last: LogHead;
  /** Streams of which the transaction under way has erased payloads. */
  readonly erasedIn = new Set<string>();
  readonly #heads = new Map<number, Head>();
  /** Streams that are known to have no append id such as `a-1`: nothing to look up for inner events there. */
  readonly #plainIds = new Set<number>();
  readonly #appends = new KnownAppends();

  readonly #o: CountedOptions;

  constructor(table: EventTable, options: CountedOptions = {}) {
    this.table = table;
    this.#o = options;
    this.last = table.last();
  }

  head(stream: string): Head {
    const streamId = this.table.streams.find(stream);
    if (streamId === null) return EMPTY_HEAD;
    const cached = this.#heads.get(streamId);
    if (cached !== undefined) return cached;
    if (this.#heads.size >= MAX_CACHED_HEADS) {
      this.#heads.clear();
      this.#plainIds.clear();
    }
    const head = this.table.head(streamId);
    this.#heads.set(streamId, head);
    return head;
  }

  appendSize(stream: string, appendId: string): number {
    const streamId = this.table.streams.find(stream);
    if (streamId === null) return 0;
    const known = this.#appends.of(streamId);
    if (known !== undefined) return known.get(appendId)?.n ?? 0;
    if (INNER_LIKE.test(appendId) && this.#hasPlainIds(streamId)) return 0;
    return this.table.findAppend(streamId, appendId)?.n ?? 0;
  }

  /** Where an append begins in its stream, and its size. */
  findAppend(stream: string, appendId: string): { seq: number; n: number } | null {
    const streamId = this.table.streams.find(stream);
    if (streamId === null) return null;
    const known = this.#appends.of(streamId);
    return known === undefined ? this.table.findAppend(streamId, appendId) : (known.get(appendId) ?? null);
  }

  #hasPlainIds(streamId: number): boolean {
    if (this.#plainIds.has(streamId)) return true;
    if (this.table.hasInnerLikeIds(streamId)) return false;
    this.#plainIds.add(streamId);
    return true;
  }

  /** Adds an append that counts, and takes out what it erases, inside a transaction. When that is rolled back, call {@link reread} before the next. */
  add(stored: readonly StoredEvent[], epoch: number): void {
    const streamId = this.table.streams.intern(stored[0]!.stream);
    let { position } = this.last;
    for (const event of stored) {
      position += 1;
      this.table.insert(position, streamId, event);
    }
    if (INNER_LIKE.test(stored[0]!.append.id)) this.#plainIds.delete(streamId);
    this.#appends.add(streamId, stored);
    const { seq, hash } = stored.at(-1)!;
    this.last = { position, hash };
    this.#heads.set(streamId, { seq, hash, epoch });
    for (const event of stored) for (const id of erasedBy(event)) this.#erase(event.stream, id);
  }

  #erase(stream: string, id: string): void {
    const { blobs, onErased } = this.#o;
    const streamId = this.table.streams.find(stream)!;
    const seq = seqOfEvent(id, (appendId) => this.findAppend(stream, appendId));
    if (seq === null) return;
    onErased?.(streamId, seq);
    const erased = this.table.erase(streamId, seq);
    if (erased === null) return;
    this.erasedIn.add(stream);
    if (blobs !== undefined) for (const sha256 of blobsNamedBy(erased)) if (!this.table.isNamed(sha256)) blobs.remove(sha256);
  }

  /** Reads again what another connection may have changed, or a transaction that was undone. */
  reread(): void {
    this.#heads.clear();
    this.#plainIds.clear();
    this.#appends.clear();
    this.last = this.table.last();
  }
}
