import { sleepBy, type Time } from '@dreamfold/log';

interface Timer {
  at: number;
  /** Null once it was taken back. */
  act: (() => void) | null;
}

/**
 * A clock that stands still while anything can run: it goes on to the next timer when all promises that could be settled are.
 * It counts whole milliseconds. Timers of one time fire in the order in which they were set, so a run follows from what is given to it.
 */
export class VirtualTime implements Time {
  #now: number;
  /** The next one last. */
  readonly #timers: Timer[] = [];

  /** @param start milliseconds since 1970 */
  constructor(start: number) {
    this.#now = start;
  }

  readonly now = (): number => this.#now;

  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> => sleepBy(this.after, ms, signal);

  readonly after = (ms: number, then: () => void): (() => void) => {
    const timer: Timer = { at: this.#now + Math.ceil(Math.max(ms, 0)), act: then };
    this.#timers.splice(this.#placeOf(timer.at), 0, timer);
    return () => (timer.act = null);
  };

  /** Before all that fire at the same time or earlier, which stand behind it. */
  #placeOf(at: number): number {
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#timers[middle]!.at > at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Lets time pass until something holds.
   * @returns false when the time `until` came first, or when nothing more would ever happen
   */
  async run(isDone: () => boolean, until: number): Promise<boolean> {
    for (;;) {
      await settled();
      if (isDone()) return true;
      const timer = this.#timers.at(-1);
      if (timer === undefined || timer.at > until) return false;
      this.#timers.pop();
      if (timer.act === null) continue;
      this.#now = timer.at;
      timer.act();
    }
  }
}

/** Promises that can be settled are, before the next turn of the event loop. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
