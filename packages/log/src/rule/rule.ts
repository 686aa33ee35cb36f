import { GENESIS_HASH, eventId, hashInput, isStoredEvent, type StoredEvent, type WriteClass } from '@dreamfold/events';
import type { Head } from '../port.ts';

// The rule of acceptance. Whether an append counts is decided here and nowhere else: by the SQLite and in-memory
// logs before they store it, by a reader of a shared log (which arbitrates nothing itself) after it was stored.
// It looks at the records and at what counted before them in their stream. It never looks at an event's type or payload
// version, a clock, the configuration, or the version of this code: two readers would come to different heads.

/** sha-256 as base64url. A parameter, since this file is pure. */
export type HashText = (text: string) => string;

/**
 * Why an append does not count.
 * - `id_used`: an event of the stream has one of its ids; a retry of what counted before ends here
 * - `head_passed`: another append followed the head that it was made for
 * - `fenced`: a later claim has taken the stream over
 * - `ahead`: it follows a head or a claim that has not been reached; the same bytes may count later
 * - `torn`: its records do not stand together
 * - `broken`: an envelope, a hash or the partition is wrong
 */
export type Refusal = 'id_used' | 'head_passed' | 'fenced' | 'ahead' | 'torn' | 'broken';

export type Verdict = { counted: true; head: Head } | { counted: false; reason: Refusal };

/** What counted so far: the part of the past that the rule looks at. */
export interface Counted {
  head(stream: string): Head;
  /** Number of events of the append with this id that counted in this stream, 0 when none did. */
  appendSize(stream: string, appendId: string): number;
}

/** The parts that the simulation switches off one at a time, to show that each is needed. All are on everywhere else. */
export interface RuleParts {
  intact: boolean;
  wholeAppend: boolean;
  chain: boolean;
  uniqueId: boolean;
  epoch: boolean;
}

export const WHOLE_RULE: RuleParts = { intact: true, wholeAppend: true, chain: true, uniqueId: true, epoch: true };

export interface RuleContext {
  counted: Counted;
  hash: HashText;
  /** Whether a stream's records belong in the partition that is read; every stream does when there is only one. */
  inPartition?: (stream: string) => boolean;
  parts?: RuleParts;
}

/** What the rule has to know of an append to tell its fate on a head. */
export interface Proposal {
  id: string;
  /** Of its first event. */
  seq: number;
  prev: string;
  events: readonly { class: WriteClass; epoch: number }[];
}

export const EMPTY_HEAD: Head = { seq: 0, hash: GENESIS_HASH, epoch: 0 };

/** 32 bytes as base64url, written the one way there is. */
const SHA256 = /^[\w-]{42}[AEIMQUYcgkosw048]$/;

/** True when the same bytes, sent again, can never count: the verdict is the append's fate. */
export function isFinal(reason: Refusal): boolean {
  return reason === 'id_used' || reason === 'head_passed' || reason === 'fenced';
}

/**
 * Judges an append by the state of its stream, taking for granted that its records are intact and stand together.
 * @param context its `appendSize` is that of {@link Counted}, for the append's stream
 * @returns the epoch after it, or why it does not count
 */
export function fate(
  head: Head,
  proposal: Proposal,
  context: { appendSize: (appendId: string) => number; parts?: RuleParts },
): { epoch: number } | Refusal {
  const parts = context.parts ?? WHOLE_RULE;
  if (parts.uniqueId && isIdUsed(proposal, context.appendSize)) return 'id_used';
  let epoch = head.epoch;
  for (const event of proposal.events) {
    if (event.class === 'open') continue;
    const required = event.class === 'claim' ? epoch + 1 : epoch;
    if (parts.epoch && event.epoch !== required) return event.epoch < required ? 'fenced' : 'ahead';
    if (event.class === 'claim') epoch = Math.max(epoch, event.epoch);
  }
  if (parts.chain && (proposal.seq !== head.seq + 1 || proposal.prev !== head.hash)) {
    return proposal.seq <= head.seq + 1 ? 'head_passed' : 'ahead';
  }
  return { epoch };
}

/** Ids follow from the append's: `a`, `a-1`, `a-2`. So `a-1` may be an append of its own, or the second event of `a`. */
function isIdUsed(proposal: Proposal, appendSize: (appendId: string) => number): boolean {
  if (appendSize(proposal.id) > 0) return true;
  const derived = /^(.+)-([1-9]\d*)$/.exec(proposal.id);
  if (derived !== null && appendSize(derived[1]!) > Number(derived[2])) return true;
  for (let i = 1; i < proposal.events.length; i += 1) {
    if (appendSize(eventId(proposal.id, i)) > 0) return true;
  }
  return false;
}

/** Whether one record is what its writer wrote: envelope, id, hash and payload. An erased payload is vouched for by its hash. */
export function isIntact(record: unknown, hash: HashText): record is StoredEvent {
  if (!isStoredEvent(record)) return false;
  const { append, data, dataHash } = record;
  if (append.i >= append.n || record.id !== eventId(append.id, append.i)) return false;
  if (data === null ? !SHA256.test(dataHash) : hash(data) !== dataHash) return false;
  return hash(hashInput(record)) === record.hash;
}

/** Whether `record` is the next of the append whose first records are `pending`. Equal hashes mean equal bytes, so two attempts never mix. One append has one writer, time and correlation. */
function continues(pending: readonly StoredEvent[], record: StoredEvent): boolean {
  const last = pending.at(-1);
  if (last === undefined) return record.append.i === 0;
  return (
    record.stream === last.stream &&
    record.append.id === last.append.id &&
    record.append.n === last.append.n &&
    record.append.i === pending.length &&
    record.seq === last.seq + 1 &&
    record.prev === last.hash &&
    record.writer === last.writer &&
    record.time === last.time &&
    record.correlation === last.correlation
  );
}

/**
 * Judges an append of which all records stand together, in order.
 * @param append at least one record, each intact, each following the one before it
 */
function judge(append: readonly StoredEvent[], context: RuleContext): Verdict {
  const first = append[0]!;
  const last = append.at(-1)!;
  const head = context.counted.head(first.stream);
  const result = fate(
    head,
    { id: first.append.id, seq: first.seq, prev: first.prev, events: append },
    {
      appendSize: (id) => context.counted.appendSize(first.stream, id),
      ...(context.parts === undefined ? {} : { parts: context.parts }),
    },
  );
  if (typeof result === 'string') return { counted: false, reason: result };
  return { counted: true, head: { seq: last.seq, hash: last.hash, epoch: result.epoch } };
}

/** A verdict, and the records that it is about as they stood in the partition. */
export interface Judged {
  records: readonly unknown[];
  verdict: Verdict;
}

export interface Fold {
  /** The beginning of an append whose other records have not been read yet. */
  pending: readonly StoredEvent[];
  /** Appends whose verdict is now known, in order. At most the last of them counts. */
  judged: readonly Judged[];
}

/**
 * Reads the next record of a partition. The caller keeps `pending` for the next call, and adds what counted to
 * `context.counted`.
 * @param pending of the call before, `[]` at the beginning of the partition
 * @param record as it stands in the partition: anything at all
 */
export function foldRecord(pending: readonly StoredEvent[], record: unknown, context: RuleContext): Fold {
  const parts = context.parts ?? WHOLE_RULE;
  const judged: Judged[] = [];
  const refuse = (records: readonly unknown[], reason: Refusal): void => {
    if (records.length > 0) judged.push({ records, verdict: { counted: false, reason } });
  };
  const intact = parts.intact ? isIntact(record, context.hash) : true;
  if (!intact || context.inPartition?.((record as StoredEvent).stream) === false) {
    refuse(pending, 'torn');
    refuse([record], 'broken');
    return { pending: [], judged };
  }
  const event = record as StoredEvent;
  if (!parts.wholeAppend) return { pending: [], judged: [{ records: [event], verdict: judge([event], context) }] };

  let append: readonly StoredEvent[] = [...pending, event];
  if (!continues(pending, event)) {
    refuse(pending, 'torn');
    if (event.append.i > 0) {
      refuse([event], 'torn');
      return { pending: [], judged };
    }
    append = [event];
  }
  if (append.length < event.append.n) return { pending: append, judged };
  judged.push({ records: append, verdict: judge(append, context) });
  return { pending: [], judged };
}

/**
 * Where a reader of a partition stands, kept with what it has folded. A log that was cut short, or created anew under
 * the same name, raises no error by itself: it just has other records at the same offsets.
 */
export interface Anchor {
  /** Number of records folded: the offset of the next. */
  offset: number;
  /** Hash of the last record folded, whatever its verdict, '' at the beginning. */
  digest: string;
  /** The term in which that record was written, where the log has terms: after a cut, equal bytes can come to stand at the same offset. */
  term: number;
}

export const ANCHOR_AT_START: Anchor = { offset: 0, digest: '', term: 0 };

/** The anchor after one more record. `bytes` is the record as text, exactly as read. */
export function advanceAnchor(anchor: Anchor, record: { bytes: string; term: number }, hash: HashText): Anchor {
  return { offset: anchor.offset + 1, digest: hash(record.bytes), term: record.term };
}

/**
 * Whether the log still holds what the reader has folded.
 * @param last the record now at `anchor.offset - 1`, null when the log has none there
 */
export function isAnchored(anchor: Anchor, last: { bytes: string; term: number } | null, hash: HashText): boolean {
  if (anchor.offset === 0) return true;
  return last !== null && last.term === anchor.term && hash(last.bytes) === anchor.digest;
}
