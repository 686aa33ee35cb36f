import type { Appended, AppendNotice, Log, LogWatcher } from './port.ts';

/** What watchers are told of an append. Its events are made when somebody looks at them. */
export function noticeOf(stream: string, appended: Appended): AppendNotice {
  return {
    stream,
    seq: appended.head.seq,
    get events() {
      return appended.events;
    },
  };
}

/** Those who watch a log. */
export class Watchers {
  readonly #watchers = new Set<LogWatcher>();

  get size(): number {
    return this.#watchers.size;
  }

  add(watcher: LogWatcher): void {
    this.#watchers.add(watcher);
  }

  remove(watcher: LogWatcher): void {
    this.#watchers.delete(watcher);
  }

  /** Tells once the code that appends has ended: a watcher that throws is a fault of its own, never one of the append. */
  tell(notices: readonly AppendNotice[]): void {
    if (this.#watchers.size === 0 || notices.length === 0) return;
    queueMicrotask(() => {
      for (const notice of notices) for (const { onAppended } of this.#watchers) onAppended(notice);
    });
  }

  fail(error: unknown): void {
    for (const { onFailed } of this.#watchers) onFailed(error);
  }
}

/** {@link Log.watch} for a log that reads back what it appends in any case. */
export function watchBySubscribing(log: Pick<Log, 'cursor' | 'subscribe'>, { onAppended, onFailed }: LogWatcher): () => void {
  const ended = new AbortController();
  const { signal } = ended;
  const follow = async (): Promise<void> => {
    // Asked for before anything else runs: what is appended from now on comes after it.
    const after = await log.cursor();
    for await (const batch of log.subscribe({ after, signal, background: true })) {
      for (const event of batch) {
        if (signal.aborted) return;
        onAppended({ stream: event.stream, seq: event.seq, events: [event] });
      }
    }
  };
  follow().catch((error: unknown) => {
    if (!signal.aborted) onFailed(error);
  });
  return () => ended.abort();
}
