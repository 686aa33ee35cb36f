import { randomUUID } from 'node:crypto';
import {
  DreamfoldError,
  idFrom,
  isDreamfoldError,
  newEvent,
  streamOf,
  type DreamStarted,
  type EventData,
  type EventType,
  type NewEvent,
} from '@dreamfold/events';
import type { Log } from '@dreamfold/log';
import { sha256 } from '../digest.ts';

export function dreamEvent<T extends EventType>(type: T, data: EventData[T]): NewEvent {
  return newEvent(type, 'system', data);
}

/** A dream that has written nothing for so long is taken to be dead. */
export const ABANDONED_MS = 120_000;

/**
 * The stream of one dream. Every append stands on the one before, so a dreamer whose dream was taken from it, because it
 * seemed to be dead, can write no more.
 */
export class DreamStream {
  readonly #log: Log;
  readonly #stream: string;
  /** Keeps two dreamers' appends apart, which may hold the same. */
  readonly #nonce = randomUUID();
  /** The last event that stands there. */
  #seq: number;
  #held: NewEvent[] = [];
  #isLost = false;

  constructor(log: Log, dreamId: string, seq = 0) {
    this.#log = log;
    this.#stream = streamOf('dream', dreamId);
    this.#seq = seq;
  }

  /** What would have begun it was refused: there is no such dream. */
  get isLost(): boolean {
    return this.#isLost;
  }

  get seq(): number {
    return this.#seq;
  }

  /** Keeps events back for the next append: so a dream that finds nothing is one append. */
  hold(...events: NewEvent[]): void {
    this.#held.push(...events);
  }

  /** Has to come before anything that a dream writes elsewhere: from here on it is this dreamer's. */
  async begin(): Promise<void> {
    if (this.#seq === 0) await this.append();
  }

  /**
   * Appends what was held, and events after it.
   * @throws DreamfoldError store_locked: another dreamer has begun it; head_conflict: another one has taken it over
   */
  async append(...more: NewEvent[]): Promise<void> {
    const events = [...this.#held, ...more];
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
export function underWay(stream: string, holder: { by: DreamStarted['by']; until: number } | null): DreamfoldError {
  const until = holder === null ? null : new Date(holder.until).toISOString();
  const who = holder?.by === undefined ? '' : `, by process ${holder.by.pid} on ${holder.by.machine.split('/')[0]}`;
  const when = until === null ? '' : `, until ${until} unless it writes more`;
  return new DreamfoldError('store_locked', `A dream of this store is under way: ${stream}${who}${when}`, {
    path: 'store',
    value: stream,
    remedy:
      'Wait until it has ended. If its process has died on this machine, dream again now; ' +
      `if it has died elsewhere, ${until === null ? `${ABANDONED_MS / 1000} seconds after its last event` : `after ${until}`}.`,
  });
}
