import { setImmediate as nextTurn } from 'node:timers/promises';
import { DreamfoldError } from '@dreamfold/events';

/** Timers, signals and sockets wait so long at most, and for what the callers do with their results. */
const MAX_STRETCH_MS = 5;

interface QueuedInput<I, O> {
  item: I;
  resolve: (result: O) => void;
  reject: (error: unknown) => void;
}

/**
 * Performs items from the first on, at least one, and stops early once `isOver` says so.
 * @returns a result or an error for each item that it got to; when it throws, all items failed
 */
type Perform<I, O> = (items: readonly I[], isOver: () => boolean) => (O | DreamfoldError)[];

/**
 * Group commit: what is asked for while the program is busy is done together, in the order in which it was asked for.
 * A group starts in a microtask, so a lone append does not wait for the event loop. What is more than a few milliseconds of work
 * goes on in the next turn of the loop.
 */
export class Sequencer<I, O> {
  readonly #perform: Perform<I, O>;
  readonly #now: () => number;
  #waiting: QueuedInput<I, O>[] = [];
  /** When the first group of this turn of the event loop began. */
  #turnBegan: number | null = null;

  /** @param now in milliseconds, from any beginning */
  constructor(perform: Perform<I, O>, now: () => number = () => performance.now()) {
    this.#perform = perform;
    this.#now = now;
  }

  add(item: I): Promise<O> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#waiting.length > 1) return;
      if (this.#isLong()) setImmediate(() => this.#flush());
      else queueMicrotask(() => this.#flush());
    });
  }

  /** Resolves when all that was added before has been performed. */
  async idle(): Promise<void> {
    const last = this.#waiting.at(-1);
    if (last === undefined) return;
    for (this.#flush(); this.#waiting.includes(last); this.#flush()) await nextTurn();
  }

  /** Whether this turn of the event loop has lasted for as long as it may. */
  #isLong(): boolean {
    if (this.#turnBegan === null) {
      this.#turnBegan = this.#now();
      setImmediate(() => (this.#turnBegan = null));
      return false;
    }
    return this.#now() - this.#turnBegan >= MAX_STRETCH_MS;
  }

  #flush(): void {
    const group = this.#waiting;
    if (group.length === 0) return;
    this.#waiting = [];
    // A group of its own begins a turn.
    this.#isLong();
    let results: (O | DreamfoldError)[];
    try {
      results = this.#perform(
        group.map(({ item }) => item),
        () => this.#isLong(),
      );
    } catch (error) {
      for (const { reject } of group) reject(error);
      return;
    }
    const left = group.splice(results.length);
    if (left.length > 0) {
      this.#waiting = left;
      setImmediate(() => this.#flush());
    }
    group.forEach(({ resolve, reject }, i) => {
      const result = results[i]!;
      if (result instanceof DreamfoldError) reject(result);
      else resolve(result);
    });
  }
}
