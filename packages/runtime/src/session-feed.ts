import type { LogEvent } from '@dreamfold/events';
import type { Log } from '@dreamfold/log';

export interface FeedListener {
  /** Each event of a session, in the order of the log. */
  onEvent: (event: LogEvent) => void;
  /** The log cannot be followed any further. */
  onFailed: (error: unknown) => void;
}

/** The events of all sessions as they come to stand on the log, whoever writes them: one subscription, while anybody wants it. */
export class SessionFeed {
  readonly #log: Log;
  readonly #listener: FeedListener;
  #ending: AbortController | null = null;

  constructor(log: Log, listener: FeedListener) {
    this.#log = log;
    this.#listener = listener;
  }

  /** @returns false when it was started before */
  start(): boolean {
    if (this.#ending !== null) return false;
    this.#ending = new AbortController();
    void this.#follow(this.#ending.signal);
    return true;
  }

  stop(): void {
    this.#ending?.abort();
    this.#ending = null;
  }

  async #follow(signal: AbortSignal): Promise<void> {
    try {
      // Asked for before anything else runs: what is appended from now on comes after it.
      const after = await this.#log.cursor();
      for await (const batch of this.#log.subscribe({ after, signal, background: true })) {
        for (const event of batch) {
          if (signal.aborted) return;
          if (event.stream.startsWith('session/')) this.#listener.onEvent(event);
        }
      }
    } catch (error) {
      if (!signal.aborted) this.#listener.onFailed(error);
    }
  }
}
