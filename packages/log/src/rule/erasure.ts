import { DreamfoldError, MAX_ERASED, idFrom, newEvent, type LogErased, type StoredEvent } from '@dreamfold/events';
import { sha256 } from './append.ts';
import type { Erased, ErasureRequest, Log } from '../port.ts';

// What an erasure does, beside the rule of acceptance: whether an event counts never depends on its type. Whoever stores what counts
// asks `erasedBy` of each event, and takes the payloads of those that it names out in the same transaction. An event that comes later is
// never meant, so every reader that folds the same stream hides the same payloads.

const ERASED = 'log.erased';

/** Every append asks what it erases. */
const NONE: readonly string[] = [];

/** Whether an event's payload can ever be erased: without the log's own streams no log opens, and an erasure is the reason why others are hidden. */
export function isErasable({ stream, type }: Pick<StoredEvent, 'stream' | 'type'>): boolean {
  return !stream.startsWith('log/') && type !== ERASED;
}

/** Ids of the events whose payloads an event erases; of any event but an erasure, none. */
export function erasedBy({ stream, type, data }: Pick<StoredEvent, 'stream' | 'type' | 'data'>): readonly string[] {
  if (type !== ERASED || stream.startsWith('log/') || data === null) return NONE;
  try {
    const { events } = JSON.parse(data) as Partial<LogErased>;
    return Array.isArray(events) ? events.filter((id) => typeof id === 'string') : [];
  } catch {
    // No JSON, or null: it counts by its hash like everything else, and erases nothing.
    return [];
  }
}

/**
 * The seq of the event with an id, null when the stream has none.
 * @param findAppend where the append with an id begins in the stream, and its size
 */
export function seqOfEvent(id: string, findAppend: (appendId: string) => { seq: number; n: number } | null | undefined): number | null {
  const whole = findAppend(id);
  if (whole != null) return whole.seq;
  const inner = /^(.+)-([1-9]\d*)$/.exec(id);
  const append = inner === null ? null : findAppend(inner[1]!);
  const i = Number(inner?.[2]);
  return append != null && i < append.n ? append.seq + i : null;
}

/**
 * Appends the erasures that a request asks for, of events that are there and have a payload.
 * @throws DreamfoldError invalid_argument for a stream of the log itself, and those of `append`
 */
export async function eraseEvents(
  log: Pick<Log, 'append'> & { archive: Pick<Log['archive'], 'readStored'> },
  stream: string,
  { seqs = [], ids = [], reason, by }: ErasureRequest,
): Promise<Erased> {
  checkErasable(stream);
  const wanted = { seqs: new Set(seqs), ids: new Set(ids) };
  const events: { seq: number; id: string }[] = [];
  for await (const batch of log.archive.readStored(stream)) {
    for (const event of batch) {
      const { seq, id, data } = event;
      if ((wanted.seqs.has(seq) || wanted.ids.has(id)) && data !== null && isErasable(event)) events.push({ seq, id });
    }
  }
  for (let from = 0; from < events.length; from += MAX_ERASED) {
    const named = events.slice(from, from + MAX_ERASED).map(({ id }) => id);
    const data: LogErased = { events: named, reason, ...(by === undefined ? {} : { by }) };
    const id = idFrom('event', sha256(`${stream} ${JSON.stringify(data)}`));
    await log.append({ stream, id, expected: 'any', events: [newEvent(ERASED, by === undefined ? 'system' : `person:${by}`, data)] });
  }
  return { events };
}

function checkErasable(stream: string): void {
  if (!stream.startsWith('log/')) return;
  throw new DreamfoldError('invalid_argument', `${stream} cannot be erased: it says which log this is`, {
    path: 'stream',
    value: stream,
    remedy: 'Erase events of other streams; this one holds nothing personal.',
  });
}
