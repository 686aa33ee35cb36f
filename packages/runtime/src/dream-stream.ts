import { randomUUID } from 'node:crypto';
import { idFrom, streamOf, type EventData, type EventType, type NewEvent } from '@dreamfold/events';
import type { Log } from '@dreamfold/log';
import { sha256 } from './digest.ts';

export function dreamEvent<T extends EventType>(type: T, data: EventData[T]): NewEvent {
  return { type, data, class: 'open', actor: 'system' };
}

/**
 * The stream of one dream. Every append stands on the one before, so a dreamer whose dream was taken from it, because it
 * seemed to be dead, can write no more.
 */
export class DreamStream {
  readonly #log: Log;
  readonly #stream: string;
  /** Keeps two dreamers' appends apart, which may hold the same. */
  readonly #nonce = randomUUID();
  #seq: number;

  constructor(log: Log, dreamId: string, seq = 0) {
    this.#log = log;
    this.#stream = streamOf('dream', dreamId);
    this.#seq = seq;
  }

  /** @throws DreamfoldError head_conflict: somebody else has written to it */
  async append(events: readonly NewEvent[]): Promise<void> {
    if (events.length === 0) return;
    const id = idFrom('event', sha256(`${this.#stream}/${this.#seq}/${this.#nonce}`));
    const { head } = await this.#log.append({ stream: this.#stream, id, expected: this.#seq, events });
    this.#seq = head.seq;
  }
}
