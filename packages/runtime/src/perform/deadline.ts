/** The longest that a timer takes; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Tells when a time on the clock of the events has come. A timer counts other seconds than a clock that somebody sets, so the clock is
 * asked again whenever one fires.
 */
export class Deadline {
  readonly #now: () => number;
  readonly #onPassed: () => void;
  #at: number | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(now: () => number, onPassed: () => void) {
    this.#now = now;
    this.#onPassed = onPassed;
  }

  get hasPassed(): boolean {
    return this.#at !== null && this.#now() >= this.#at;
  }

  /** @param at in milliseconds as `now` gives them; null for none */
  set(at: number | null): void {
    if (at === this.#at) return;
    this.#at = at;
    clearTimeout(this.#timer);
    if (at !== null) this.#wait(at);
  }

  #wait(at: number): void {
    const ms = Math.min(Math.max(at - this.#now(), 1), MAX_TIMER_MS);
    const look = (): void => (this.hasPassed ? this.#onPassed() : this.#wait(at));
    // What it ends keeps the process alive by timers of its own.
    this.#timer = setTimeout(look, ms).unref();
  }
}
