import { DreamfoldError, type StoredEvent } from '@dreamfold/events';
import { sha256 } from './append.ts';
import type { Head } from '../port.ts';
import { parsePayloadText } from './payload.ts';
import { EMPTY_HEAD, foldRecord, type Counted, type Judged, type Refusal } from './rule.ts';

/** What a restore has to know of the log that it adds to. */
export interface RestoreTarget extends Counted {
  hashAt(stream: string, seq: number): string | null;
}

/** An append to add, and the head that it leads to. */
export interface RestoredAppend {
  records: readonly StoredEvent[];
  head: Head;
}

/**
 * Judges stored events by the rule, on top of what the log holds. Nothing is written here.
 * @returns the appends to add, without those that are here already
 * @throws DreamfoldError hash_mismatch, head_conflict, invalid_event (torn, fenced), idempotency_conflict, and those of parsePayloadText
 */
export function restorePlan(events: readonly StoredEvent[], target: RestoreTarget): RestoredAppend[] {
  const plan: RestoredAppend[] = [];
  const heads = new Map<string, Head>();
  const sizes = new Map<string, number>();
  const counted: Counted = {
    head: (stream) => heads.get(stream) ?? target.head(stream),
    appendSize: (stream, id) => sizes.get(`${stream}#${id}`) ?? target.appendSize(stream, id),
  };
  let pending: readonly StoredEvent[] = [];
  for (const event of events) {
    if (pending.length === 0 && typeof event?.stream === 'string' && isHere(event, target)) continue;
    const fold = foldRecord(pending, event, { counted, hash: sha256 });
    pending = fold.pending;
    const broken = fold.judged.some(({ verdict }) => !verdict.counted && verdict.reason === 'broken');
    if (broken) throw refused(event, 'broken', EMPTY_HEAD);
    if (event.data !== null) parsePayloadText(event.data, `${event.stream}#${event.seq}`);
    for (const { records, verdict } of fold.judged as readonly (Judged & { records: readonly StoredEvent[] })[]) {
      const first = records[0]!;
      if (!verdict.counted) throw refused(first, verdict.reason, counted.head(first.stream));
      heads.set(first.stream, verdict.head);
      sizes.set(`${first.stream}#${first.append.id}`, records.length);
      plan.push({ records, head: verdict.head });
    }
  }
  if (pending.length > 0) throw refused(pending[0]!, 'torn', counted.head(pending[0]!.stream));
  return plan;
}

function isHere(event: StoredEvent, target: RestoreTarget): boolean {
  const hash = target.hashAt(event.stream, event.seq);
  if (hash === null || hash === event.hash) return hash !== null;
  throw refused(event, 'head_passed', target.head(event.stream));
}

function refused(event: StoredEvent, reason: Refusal, head: Head): DreamfoldError {
  const path = `${event?.stream}#${event?.seq}`;
  switch (reason) {
    case 'broken':
      return new DreamfoldError('hash_mismatch', `${path} is not what was written: envelope, payload and hash do not agree`, {
        path,
        remedy: 'Export the stream again, or restore it from another copy.',
      });
    case 'head_passed':
    case 'ahead':
      return new DreamfoldError('head_conflict', `${path} does not follow this log's head, ${head.seq}, of ${event.stream}`, {
        path: event.stream,
        value: head.seq,
        remedy: 'Restore the whole stream into an empty log, or what follows the head of this one.',
      });
    case 'id_used':
      return new DreamfoldError('idempotency_conflict', `${path} has the id of an earlier event, ${event.id}`, {
        path,
        value: event.id,
        remedy: 'Export the stream again: ids are unique in a stream.',
      });
    case 'torn':
    case 'fenced':
      return new DreamfoldError(
        'invalid_event',
        `${path} cannot be added: its append is ${reason === 'torn' ? 'incomplete' : 'fenced by a claim'}`,
        {
          path,
          value: event.append?.id,
          remedy: reason === 'torn' ? 'Pass all events of an append in one call.' : 'Export the stream again.',
        },
      );
  }
}
