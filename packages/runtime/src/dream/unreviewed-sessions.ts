import { streamOf, type LogEvent } from '@dreamfold/events';
import { hasEndedAfter, restAfter } from '@dreamfold/core';
import { cursorAtStart, hasSeen, type Cursor, type Log } from '@dreamfold/log';
import type { StoreDreams } from './store-dreams.ts';

/** Sessions of which it is kept whether they rest; beyond that it is read again. */
const MAX_KNOWN = 10_000;

/** Tells of each event of a followed log whether its session is finished after it. */
export class FinishedSessions {
  readonly #log: Log;
  readonly #known = new Map<string, boolean>();

  constructor(log: Log) {
    this.#log = log;
  }

  async isFinishedAt(event: LogEvent): Promise<boolean> {
    const { stream, seq } = event;
    const before = this.#known.get(stream);
    const finished = hasEndedAfter(event) ?? before ?? (seq > 1 && (await this.#wasFinished(stream, seq - 1)));
    if (before === undefined && this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(stream, finished);
    return finished;
  }

  async #wasFinished(stream: string, seq: number): Promise<boolean> {
    let finished = false;
    for await (const batch of this.#log.read(stream, { to: seq })) for (const event of batch) finished = hasEndedAfter(event) ?? finished;
    return finished;
  }
}

/** The finished sessions that the next dream of a store would review, wherever its dreams have run. */
export class UnreviewedSessions {
  readonly #dreams: StoreDreams;
  readonly #store: string;
  /** The last dream that has ended, and what of the log dreams have reviewed. */
  readonly #ended: { number: number; reviewedThrough: Cursor };
  /** The newest event of each session. */
  readonly #newest = new Map<string, number>();

  /** @param store its id */
  constructor(dreams: StoreDreams, store: string, partitions: number) {
    this.#dreams = dreams;
    this.#store = store;
    this.#ended = { number: 0, reviewedThrough: cursorAtStart(partitions) };
  }

  get count(): number {
    return this.#newest.size;
  }

  get reviewedThrough(): Cursor {
    return this.#ended.reviewedThrough;
  }

  /** Takes note of an event of a session. What is only asked of one that is finished is nothing to review yet, and an erasure never is. */
  add(event: LogEvent, isFinished: boolean): void {
    const { stream, position, type } = event;
    if (type === 'log.erased' || hasSeen(this.reviewedThrough, position)) return;
    if (!isFinished) this.#newest.delete(stream);
    else if (restAfter(event) !== 'asked') this.#newest.set(stream, position);
  }

  /** True for events of the dream that comes after those that are known to have ended. */
  isOfNextDream({ stream }: LogEvent): boolean {
    return stream === streamOf('dream', this.#dreams.idOf(this.#store, this.#ended.number + 1));
  }

  /** Takes note of the dreams that have ended meanwhile. */
  async refresh(): Promise<void> {
    for (;;) {
      const number = this.#ended.number + 1;
      const { status, started, seq } = await this.#dreams.load(this.#dreams.idOf(this.#store, number));
      // Somebody else has refreshed it meanwhile.
      if (this.#ended.number >= number) continue;
      if (seq === 0 || status === 'running') break;
      // One whose beginning was erased says nothing of what it reviewed.
      if (status === 'completed' && started !== null) this.#dreams.advance(this.#ended, started);
      else this.#ended.number = number;
    }
    for (const [stream, position] of this.#newest) if (hasSeen(this.reviewedThrough, position)) this.#newest.delete(stream);
  }
}
