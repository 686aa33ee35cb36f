import type { LogEvent } from '@dreamfold/events';
import type { SubscribeOptions } from './port.ts';

/** Most events in one batch of a read or a subscription. */
export const BATCH_SIZE = 256;

/** Wakes those who wait for new events. */
export class ChangeSignal {
  readonly #waiting = new Set<() => void>();
  #closed = false;
  readonly #onWaiting: ((anyone: boolean) => void) | undefined;

  /** @param onWaiting told when somebody begins to wait and when nobody does any more, for a log that has to look for changes itself */
  constructor(onWaiting?: (anyone: boolean) => void) {
    this.#onWaiting = onWaiting;
  }

  get closed(): boolean {
    return this.#closed;
  }

  notify(): void {
    if (this.#waiting.size === 0) return;
    const woken = [...this.#waiting];
    this.#waiting.clear();
    this.#onWaiting?.(false);
    for (const wake of woken) wake();
  }

  close(): void {
    this.#closed = true;
    this.notify();
  }

  /** Resolves at the next change, when the log closes, or when the signal is aborted. */
  async wait(signal: AbortSignal): Promise<void> {
    if (this.#closed || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', cancel);
        resolve();
      };
      const cancel = (): void => {
        this.#waiting.delete(wake);
        if (this.#waiting.size === 0) this.#onWaiting?.(false);
        wake();
      };
      signal.addEventListener('abort', cancel, { once: true });
      this.#waiting.add(wake);
      if (this.#waiting.size === 1) this.#onWaiting?.(true);
    });
  }
}

/**
 * Catch-up, then live. Between reading an empty batch and waiting nothing else runs, so no change is missed.
 * @param readAfter the next events after a position, oldest first, at most a batch
 */
export async function* subscribeBy(
  readAfter: (position: number) => readonly LogEvent[],
  changes: ChangeSignal,
  { after, signal }: SubscribeOptions,
): AsyncGenerator<readonly LogEvent[], void, undefined> {
  let position = after;
  while (!signal.aborted && !changes.closed) {
    const batch = readAfter(position);
    if (batch.length === 0) {
      await changes.wait(signal);
    } else {
      position = batch.at(-1)!.position;
      yield batch;
    }
  }
}
