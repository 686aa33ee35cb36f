import type { LogEvent } from '@dreamfold/events';
import type { SubscribeOptions } from './port.ts';

/** Most events in one batch of a read or a subscription. */
export const BATCH_SIZE = 256;

/** Who waits for new events: `background` when none of them keeps the process alive for it. */
export type Waiting = 'nobody' | 'background' | 'somebody';

/** Wakes those who wait for new events. */
export class ChangeSignal {
  readonly #waiting = new Set<() => void>();
  #inForeground = 0;
  #told: Waiting = 'nobody';
  #closed = false;
  readonly #onWaiting: ((waiting: Waiting) => void) | undefined;

  /** @param onWaiting told who waits from now on, for a log that has to look for changes itself */
  constructor(onWaiting?: (waiting: Waiting) => void) {
    this.#onWaiting = onWaiting;
  }

  get closed(): boolean {
    return this.#closed;
  }

  notify(): void {
    if (this.#waiting.size === 0) return;
    const woken = [...this.#waiting];
    this.#waiting.clear();
    this.#inForeground = 0;
    this.#tell();
    for (const wake of woken) wake();
  }

  close(): void {
    this.#closed = true;
    this.notify();
  }

  /** Resolves at the next change, when the log closes, or when the signal is aborted. */
  async wait(signal?: AbortSignal, background = false): Promise<void> {
    if (this.#closed || signal?.aborted === true) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        signal?.removeEventListener('abort', cancel);
        resolve();
      };
      const cancel = (): void => {
        if (this.#waiting.delete(wake) && !background) this.#inForeground -= 1;
        this.#tell();
        wake();
      };
      signal?.addEventListener('abort', cancel, { once: true });
      this.#waiting.add(wake);
      if (!background) this.#inForeground += 1;
      this.#tell();
    });
  }

  #tell(): void {
    const waiting = this.#inForeground > 0 ? 'somebody' : this.#waiting.size > 0 ? 'background' : 'nobody';
    if (waiting === this.#told) return;
    this.#told = waiting;
    this.#onWaiting?.(waiting);
  }
}

/** The next events of a log of one partition after a position, oldest first, at most a batch. */
type ReadAfter = (position: number) => readonly LogEvent[];

/** Catch-up, then live. Between reading an empty batch and waiting nothing else runs, so no change is missed. */
export async function* subscribeBy(
  readAfter: ReadAfter,
  changes: ChangeSignal,
  { after, signal, background = false }: SubscribeOptions,
): AsyncGenerator<readonly LogEvent[], void, undefined> {
  let position = after[0]!;
  while (!signal.aborted && !changes.closed) {
    const batch = readAfter(position);
    if (batch.length === 0) {
      await changes.wait(signal, background);
    } else {
      position = batch.at(-1)!.position;
      yield batch;
    }
  }
}

/** What lies between two counts of events. */
export function* readBetween(readAfter: ReadAfter, after: number, through: number): Generator<readonly LogEvent[], void, undefined> {
  for (let seen = after; seen < through;) {
    const batch = readAfter(seen).slice(0, through - seen);
    if (batch.length === 0) return;
    seen += batch.length;
    yield batch;
  }
}

/**
 * Resolves when something is there.
 * @throws what `isThere` throws, and the signal's reason
 */
export async function waitUntil(isThere: () => boolean, changes: ChangeSignal, signal?: AbortSignal): Promise<void> {
  for (;;) {
    signal?.throwIfAborted();
    if (isThere()) return;
    await changes.wait(signal);
  }
}
