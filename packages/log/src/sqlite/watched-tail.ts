import type { LogEvent } from '@dreamfold/events';
import type { Appended, LogWatcher } from '../port.ts';
import { noticeOf, Watchers } from '../watchers.ts';

/** What the tail reads of its database. */
export interface TailReader {
  /** Position of the newest event, also of another connection's. */
  last: () => number;
  /** The next events after a position, oldest first, at most a batch. */
  readAfter: (position: number) => readonly LogEvent[];
}

/** An append that counted in a transaction of this connection. */
export interface OwnAppend {
  stream: string;
  /** Number of its events. */
  size: number;
  appended: Appended;
}

/**
 * Tells watchers what is added to a database, in the order of the log. Own appends are told as they were made; only what other
 * connections have committed is read.
 */
export class WatchedTail {
  readonly #reader: TailReader;
  readonly #watchers = new Watchers();
  /** Position of the newest event that was told. */
  #told = 0;

  constructor(reader: TailReader) {
    this.#reader = reader;
  }

  get isWatched(): boolean {
    return this.#watchers.size > 0;
  }

  add(watcher: LogWatcher): void {
    if (!this.isWatched) this.#told = this.#reader.last();
    this.#watchers.add(watcher);
  }

  remove(watcher: LogWatcher): void {
    this.#watchers.remove(watcher);
  }

  /** Tells the appends of one transaction that was committed here: nobody else's events stand between them. */
  tellOwn(appends: readonly OwnAppend[]): void {
    const [first] = appends;
    if (!this.isWatched || first === undefined) return;
    const before = first.appended.position - first.size;
    if (before > this.#told) this.#tellThrough(before);
    this.#watchers.tell(appends.map(({ stream, appended }) => noticeOf(stream, appended)));
    this.#told = appends.at(-1)!.appended.position;
  }

  /** Tells what has not been told up to the newest event. */
  tellNew(): void {
    if (this.isWatched) this.#tellThrough(Number.MAX_SAFE_INTEGER);
  }

  /** What cannot be read is the watchers' trouble: whoever appends has its events on the disk. */
  #tellThrough(position: number): void {
    try {
      const through = Math.min(position, this.#reader.last());
      while (this.#told < through) {
        const events = this.#reader.readAfter(this.#told).filter((event) => event.position <= through);
        if (events.length === 0) return;
        this.#watchers.tell(events.map((event) => ({ stream: event.stream, seq: event.seq, events: [event] })));
        this.#told = events.at(-1)!.position;
      }
    } catch (error) {
      this.#watchers.fail(error);
    }
  }
}
