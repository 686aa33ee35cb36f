import type { LogEvent } from '@dreamfold/events';
import { cursorAtStart, hasSeen, placeOf, seenBy, type Cursor, type Log } from '@dreamfold/log';
import { RowFold } from './fold-rows.ts';
import type { Checkpoint, ProjectionStore } from './port.ts';
import { FOLDS } from './views.ts';

/** Events in one transaction while it catches up: enough to pay for it, few enough that another process does not wait for long. */
const CHUNK_EVENTS = 4096;

export type OnProgress = (done: number, total: number) => void;

/** Keeps the rows of all views at what the log holds. Any number of processes may do so in one store. */
export class Projections {
  readonly #log: Log;
  readonly #store: ProjectionStore;
  /** The checkpoint was compared with the log: a log that is open goes no other way. */
  #isChecked = false;

  constructor(log: Log, store: ProjectionStore) {
    this.#log = log;
    this.#store = store;
  }

  /**
   * Folds what stands on the log and not in the store yet. What was kept of another log, by other folds, or of events that are no longer
   * there is built again; what was erased of the log is gone from the store.
   * @throws DreamfoldError of the log, or of the store
   */
  async catchUp(onProgress?: OnProgress): Promise<void> {
    const through = await this.#log.cursor();
    for (;;) {
      const at = await this.#checkpoint(through);
      if (!(await this.#followErasures(at))) continue;
      if (at.cursor.every((seen, i) => seen >= through[i]!)) return;
      const events = await this.#nextAfter(at.cursor, through);
      this.#fold(at, events);
      onProgress?.(Math.min(seenBy(at.cursor) + events.length, seenBy(through)), seenBy(through));
    }
  }

  /** The checkpoint to go on from: at the beginning of the log, with empty rows, where there is none that fits. */
  async #checkpoint(through: Cursor): Promise<Checkpoint> {
    const kept = this.#store.checkpoint();
    if (kept !== null && (await this.#fits(kept, through))) return kept;
    const { mark } = await this.#log.erasure.since(null);
    const { partitions } = this.#log.capabilities;
    const begun: Checkpoint = {
      ...{ logId: this.#log.logId, folds: FOLDS, erasures: mark },
      ...{ cursor: cursorAtStart(partitions), hashes: Array.from({ length: partitions }, () => '') },
    };
    this.#store.transaction((rows) => {
      // Another process may have begun meanwhile.
      if (!isSame(rows.checkpoint(), kept)) return;
      rows.clear();
      rows.setCheckpoint(begun);
    });
    this.#isChecked = true;
    return this.#store.checkpoint() ?? begun;
  }

  async #fits({ logId, folds, cursor, hashes }: Checkpoint, through: Cursor): Promise<boolean> {
    if (logId !== this.#log.logId || folds !== FOLDS || cursor.length !== through.length) return false;
    if (this.#isChecked) return true;
    // Another process may have folded more than was there when this one looked.
    const now = await this.#log.cursor();
    if (cursor.some((seen, i) => seen > now[i]!)) return false;
    const last = new Map<number, string>();
    for await (const batch of this.#log.readRange(
      cursor.map((seen) => Math.max(0, seen - 1)),
      cursor,
    )) {
      for (const { position, hash } of batch) last.set(placeOf(position, cursor.length).partition, hash);
    }
    return (this.#isChecked = cursor.every((seen, i) => seen === 0 || last.get(i) === hashes[i]));
  }

  /** @returns false when there was something to do, and the checkpoint is another one now */
  async #followErasures(at: Checkpoint): Promise<boolean> {
    const { mark, streams } = await this.#log.erasure.since(at.erasures);
    if (streams?.length === 0 && mark === at.erasures) return true;
    const events: LogEvent[] = [];
    for (const stream of streams ?? []) {
      for await (const batch of this.#log.read(stream)) events.push(...batch.filter(({ position }) => hasSeen(at.cursor, position)));
    }
    this.#store.transaction((rows) => {
      if (!isSame(rows.checkpoint(), at)) return;
      if (streams === null) return rows.clear();
      for (const stream of streams) rows.forget(stream);
      const fold = new RowFold(() => null, this.#hasOneOrder);
      for (const event of events) fold.add(event);
      fold.write(rows);
      rows.setCheckpoint({ ...at, erasures: mark });
    });
    return false;
  }

  async #nextAfter(cursor: Cursor, through: Cursor): Promise<LogEvent[]> {
    const events: LogEvent[] = [];
    for await (const batch of this.#log.readRange(cursor, through)) {
      events.push(...batch);
      if (events.length >= CHUNK_EVENTS) break;
    }
    return events;
  }

  /** Folds what follows a checkpoint, unless somebody else has done so meanwhile. */
  #fold(at: Checkpoint, events: readonly LogEvent[]): void {
    this.#store.transaction((rows) => {
      if (!isSame(rows.checkpoint(), at)) return;
      const fold = new RowFold((place) => rows.get(place), this.#hasOneOrder);
      const [cursor, hashes] = [[...at.cursor], [...at.hashes]];
      for (const event of events) {
        fold.add(event);
        const { partition, ordinal } = placeOf(event.position, cursor.length);
        cursor[partition] = ordinal;
        hashes[partition] = event.hash;
      }
      fold.write(rows);
      rows.setCheckpoint({ ...at, cursor, hashes });
    });
  }

  get #hasOneOrder(): boolean {
    return this.#log.capabilities.partitions === 1;
  }
}

function isSame(a: Checkpoint | null, b: Checkpoint | null): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
