import { DreamfoldError, isDreamfoldError } from '@dreamfold/events';
import type { SessionState } from '@dreamfold/core';
import type { Time } from '@dreamfold/log';

/** The longest that a timer takes; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Calls back once when a time on the clock has come. A timer counts other seconds than a clock that somebody sets, so the clock is
 * asked again whenever one fires.
 * @param at in milliseconds as `time.now` gives them
 * @param options.background it does not keep the process alive
 * @returns what takes it back
 */
export function atTime(at: number, then: () => void, { time, ...options }: { time: Time; background?: boolean }): () => void {
  let takeBack = (): void => {};
  const wait = (): void => {
    const ms = Math.min(Math.max(at - time.now(), 1), MAX_TIMER_MS);
    takeBack = time.after(ms, () => (time.now() >= at ? then() : wait()), options);
  };
  wait();
  return () => takeBack();
}

/** The time at which a session has to end, on the clock of its events. */
export class Deadline {
  readonly #time: Time;
  readonly #onPassed: () => void;
  #at: number | null = null;
  #takeBack = (): void => {};

  constructor(time: Time, onPassed: () => void) {
    this.#time = time;
    this.#onPassed = onPassed;
  }

  get hasPassed(): boolean {
    return this.#at !== null && this.#time.now() >= this.#at;
  }

  /** @param at in milliseconds as the clock gives them; null for none */
  set(at: number | null): void {
    if (at === this.#at) return;
    this.#at = at;
    this.#takeBack();
    // What it ends keeps the process alive by timers of its own.
    if (at !== null) this.#takeBack = atTime(at, this.#onPassed, { time: this.#time, background: true });
  }
}

/**
 * What `work` comes to, unless it takes too long or is called off; what is called off already is not begun. The timer also keeps the
 * process alive: node ends one that waits for a promise and nothing else, without a word.
 * @param limit.controller of the work: aborts it at the end of the time, and ends the wait when somebody else does
 * @param limit.ms above 0; `onTimeout` gives the error to reject with
 */
export async function withTimeLimit<T>(
  work: () => T | PromiseLike<T>,
  { time, ms, controller, onTimeout }: { time: Time; ms: number; controller: AbortController; onTimeout: () => Error },
): Promise<T> {
  const { signal } = controller;
  signal.throwIfAborted();
  const result = work();
  if (!isPromiseLike(result)) return result;
  let abort = (): void => {};
  const ended = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
  const takeBack = time.after(ms, () => controller.abort(onTimeout()));
  try {
    return await Promise.race([result, ended]);
  } finally {
    takeBack();
    signal.removeEventListener('abort', abort);
  }
}

/** Lends a controller that aborts when `signal` does, and may abort before: a part of the work that ends before the whole. */
export async function withPart<T>(signal: AbortSignal, use: (part: AbortController) => Promise<T>): Promise<T> {
  const part = new AbortController();
  const abort = (): void => part.abort(signal.reason);
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  try {
    return await use(part);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Why work is stopped at the deadline of its session. */
export function outOfTime({ caps }: SessionState): DreamfoldError {
  return new DreamfoldError('budget_exceeded', `The session reached its cap wall_time_ms = ${caps.wall_time_ms}`, {
    path: 'caps/wall_time_ms',
    value: caps.wall_time_ms,
    remedy: 'Start a new session, with a higher cap if need be.',
  });
}

/** Whether work was stopped at the deadline of its session: then it still says what became of it. */
export function isOutOfTime({ reason }: AbortSignal): boolean {
  return isDreamfoldError(reason, 'budget_exceeded');
}

/** Whether nobody waits for what comes of work any more. What took too long says so, by an error of ours. */
export function isCalledOff({ aborted, reason }: AbortSignal): boolean {
  return aborted && !isDreamfoldError(reason);
}

function isPromiseLike<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
