import { newEvent, text, type EventData } from '@dreamfold/events';
import type { Log } from '@dreamfold/log';

export const STREAMS = 200;
/** Events of an append: what one turn of an agent writes, or several. */
export const APPEND_EVENTS = 10;
/** Of a payload, as it is stored. */
const PAYLOAD_BYTES = 350;

type NewEvents = Parameters<Log['append']>[0]['events'];

/** Messages of a user whose payloads are all as long, and all different. */
export function newEvents(count: number, seed: number): NewEvents {
  return Array.from({ length: count }, (_, i) => newEvent('user.message', 'user', payload(`${seed} ${i} `)));
}

function payload(begin: string): EventData['user.message'] {
  const data = { content: text(begin) };
  data.content[0].text = begin.padEnd(begin.length + PAYLOAD_BYTES - JSON.stringify(data).length, 'a ticket that nobody has read yet ');
  return data;
}

/** Numbers appends, so that no two of a log are the same. */
export class Workload {
  #appends = 0;

  /** Appends to all streams at once, to each stream one append after the other. @returns how many events were appended */
  async append(log: Log, events: number): Promise<number> {
    const rounds = Math.max(1, Math.round(events / (STREAMS * APPEND_EVENTS)));
    const write = async (stream: string): Promise<void> => {
      for (let i = 0; i < rounds; i += 1) await this.appendOne(log, stream, APPEND_EVENTS);
    };
    await Promise.all(Array.from({ length: STREAMS }, (_, i) => write(`session/sesn_${i}`)));
    return rounds * STREAMS * APPEND_EVENTS;
  }

  async appendOne(log: Log, stream: string, count: number): Promise<void> {
    const n = (this.#appends += 1);
    await log.append({ stream, id: `sevt_${n}`, expected: 'any', events: newEvents(count, n) });
  }
}
