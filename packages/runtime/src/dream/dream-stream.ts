import { randomUUID } from 'node:crypto';
import {
  DreamfoldError,
  idFrom,
  isDreamfoldError,
  newEvent,
  streamOf,
  type EventData,
  type EventType,
  type NewEvent,
} from '@dreamfold/events';
import { settle } from '@dreamfold/core';
import { evolveDream, initialDream, type DreamState } from '@dreamfold/dreaming';
import type { Log } from '@dreamfold/log';
import { sha256 } from '../digest.ts';

/** An event of a dream, which nobody but the system writes. */
export function dreamEvent<T extends EventType>(type: T, data: EventData[T]): NewEvent {
  return newEvent(type, 'system', data);
}

/** A dream that has written nothing for so long is taken to be dead. */
export const ABANDONED_MS = 120_000;

/**
 * The stream of one dream, and the state that it leads to with what is about to be appended. Every append stands on the one before, so a
 * dreamer whose dream was taken from it, because it seemed to be dead, can write no more.
 */
export class DreamStream {
  readonly dreamId: string;
  readonly #log: Log;
  readonly #stream: string;
  /** Keeps two dreamers' appends apart, which may hold the same. */
  readonly #nonce = randomUUID();
  /** The last event that stands there. */
  #seq: number;
  #state: DreamState;
  #held: NewEvent[] = [];
  #isLost = false;

  /** @param state as it was read; left out for a dream that is to begin */
  constructor(log: Log, dreamId: string, state: DreamState = initialDream) {
    this.dreamId = dreamId;
    this.#log = log;
    this.#stream = streamOf('dream', dreamId);
    this.#seq = state.seq;
    this.#state = state;
  }

  /** What would have begun it was refused: there is no such dream. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** The last event that stands on the log. */
  get seq(): number {
    return this.#seq;
  }

  /** With what is held. */
  get state(): DreamState {
    return this.#state;
  }

  /** Keeps events back for the next append: so a dream that finds nothing is one append. */
  hold(...events: NewEvent[]): void {
    const { seq, time } = this.#state;
    // The fold of a dream does not look at the ids of its events.
    const at = { stream: this.#stream, after: seq, appendId: '', time };
    this.#state = settle(this.#state, events, { evolve: evolveDream, decide: () => [], at });
    this.#held.push(...events);
  }

  /**
   * Ends the dream with an error. What is held may be what the log does not take, so of that only the beginning is appended.
   * @throws what `flush` throws
   */
  async fail(error: { type: string; message: string }): Promise<void> {
    this.#held = this.#held.filter(({ type }) => type === 'dream.started');
    this.hold(dreamEvent('dream.failed', { error }));
    await this.flush();
  }

  /**
   * Appends what was held. It has to come before anything that a dream does elsewhere: from here on it is this dreamer's.
   * @throws DreamfoldError store_locked: another dreamer has begun it; head_conflict: another one has taken it over
   */
  async flush(): Promise<void> {
    const events = this.#held;
    if (events.length === 0) return;
    const id = idFrom('event', sha256(`${this.#stream}/${this.#seq}/${this.#nonce}`));
    try {
      const { head } = await this.#log.append({ stream: this.#stream, id, expected: this.#seq, events });
      this.#seq = head.seq;
      this.#held = [];
    } catch (error) {
      this.#isLost = this.#seq === 0;
      throw this.#isLost && isDreamfoldError(error, 'head_conflict') ? underWay(this.#stream, null) : error;
    }
  }
}

/** @param holder whose dream it is, and until when it is held; null when another dreamer has only just begun it */
export function underWay(stream: string, holder: { by: DreamState['by']; until: number } | null): DreamfoldError {
  const until = holder === null ? null : new Date(holder.until).toISOString();
  const who = holder === null || holder.by == null ? '' : `, by process ${holder.by.pid} on ${holder.by.machine.split('/')[0]}`;
  const when = until === null ? '' : `, until ${until} unless it writes more`;
  return new DreamfoldError('store_locked', `A dream of this store is under way: ${stream}${who}${when}`, {
    path: 'store',
    value: stream,
    remedy:
      'Wait until it has ended. If its process has died on this machine, dream again now; ' +
      `if it has died elsewhere, ${until === null ? `${ABANDONED_MS / 1000} seconds after its last event` : `after ${until}`}.`,
  });
}
