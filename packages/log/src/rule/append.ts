import { randomBytes, hash } from 'node:crypto';
import {
  DreamfoldError,
  Envelope,
  EVENT_VERSION,
  WriteClass,
  checkPayload,
  eventId,
  hashInput,
  isAppendField,
  isEventType,
  isStoredEvent,
  type AppendField,
  type Causation,
  type LogEvent,
  type NewEvent,
  type StoredEvent,
} from '@dreamfold/events';
import { toLogEvent } from '../log-event.ts';
import { encodePayload } from './payload.ts';
import type { Appended, AppendRequest, Head } from '../port.ts';
import type { Proposal, Refusal } from './rule.ts';

const WRITE_CLASSES: ReadonlySet<unknown> = new Set(WriteClass.options);

/** An event of a prepared append: its payload is the text that will be stored. */
export interface PreparedEvent {
  type: string;
  v: number;
  class: WriteClass;
  epoch: number;
  actor: string;
  causation: Causation;
  data: string;
}

/** An append request that was checked, with each payload encoded once. All that it still lacks is its place in the stream. */
export interface PreparedAppend {
  stream: string;
  id: string;
  expected: number | 'any';
  follows: string | null;
  correlation: string | null;
  time: number;
  events: readonly PreparedEvent[];
}

/** sha-256 of a text in UTF-8, as base64url: as hashes of events are written. */
export function sha256(text: string): string {
  return hash('sha256', text, 'base64url');
}

/** sha-256 of a blob, as it is named in events. */
export function sha256Hex(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex');
}

/** A name for a process that writes, so that two of them never make the same bytes. */
export function newWriterName(): string {
  return `w_${randomBytes(9).toString('base64url')}`;
}

/**
 * Checks a request and encodes its payloads.
 * @throws DreamfoldError expected_head_required, invalid_argument, invalid_event, unknown_event_type,
 * unsupported_schema_version, json_too_deep, payload_too_large
 */
export function prepareAppend(request: AppendRequest, now: number): PreparedAppend {
  const { stream, id, expected, epoch } = request;
  const correlation = request.correlation ?? null;
  const time = request.time ?? now;
  checkField('stream', stream);
  checkField('id', id);
  checkField('correlation', correlation);
  checkField('time', time);
  checkEvents(request.events);
  checkExpected(request);
  const events = request.events.map((event: NewEvent, i): PreparedEvent => {
    const path = `events/${i}`;
    if (i === 0 || event.actor !== request.events[i - 1]!.actor) checkField('actor', event.actor, path);
    const causation = event.causation ?? null;
    if (causation !== null) checkField('causation', causation, path);
    const type = event.type;
    const v = event.v ?? (isEventType(type) ? EVENT_VERSION[type] : 1);
    const { text: data, stored } = encodePayload(event.data, `${path}/data`);
    checkPayload(type, v, stored);
    return {
      type,
      v,
      class: event.class,
      epoch: event.class === 'open' ? 0 : epoch!,
      actor: event.actor,
      causation,
      data,
    };
  });
  return { stream, id, expected, follows: request.follows ?? null, correlation, time, events };
}

const FIELDS = { ...Envelope.shape, id: Envelope.shape.append.shape.id };

/** The schema takes ten times as long, and says what is wrong. */
function checkField(name: AppendField, value: unknown, at?: string): void {
  if (isAppendField(name, value)) return;
  const why = FIELDS[name].safeParse(value).error?.issues[0]?.message ?? 'is none';
  throw new DreamfoldError('invalid_argument', `The ${name} of an append ${why}`, {
    path: at === undefined ? name : `${at}/${name}`,
    value: typeof value === 'string' ? value.slice(0, 120) : value,
    remedy: `Pass a valid ${name}; the event reference describes the envelope.`,
  });
}

function checkEvents(events: unknown): void {
  if (!Array.isArray(events) || events.length === 0) {
    throw new DreamfoldError('invalid_argument', 'An append needs an array of at least one event', {
      path: 'events',
      remedy: 'Pass the events to append.',
    });
  }
  for (const [i, event] of events.entries()) {
    if (WRITE_CLASSES.has((event as NewEvent | null)?.class)) continue;
    throw new DreamfoldError('invalid_argument', 'An event of an append is not an event, or has no class', {
      path: `events/${i}`,
      remedy: 'Pass { type, data, class, actor }, with class open, owner or claim.',
    });
  }
}

function checkExpected({ stream, expected, events, epoch }: AppendRequest): void {
  const owned = events.some((event) => event.class !== 'open');
  if (expected === undefined || expected === null || (expected === 'any' && owned)) {
    throw new DreamfoldError('expected_head_required', `An append to ${stream} needs the seq of the head that it was decided on`, {
      path: 'expected',
      remedy: "Pass expected: head.seq. 'any' is only for events that commute (class open).",
    });
  }
  if (expected !== 'any' && !(Number.isSafeInteger(expected) && expected >= 0)) {
    throw new DreamfoldError('invalid_argument', "expected is neither a head's seq nor 'any'", {
      path: 'expected',
      value: expected,
      remedy: 'Pass head.seq, 0 for a stream without events.',
    });
  }
  if (owned) checkField('epoch', epoch);
}

/** The append as the rule sees it on this head. `'any'` follows whatever head there is. */
export function proposalOn(head: Head, append: PreparedAppend): Proposal {
  const base = append.expected === 'any' ? head.seq : append.expected;
  // With another seq than the head's, the hash that it was decided on is unknown here, and not needed to refuse it.
  return { id: append.id, seq: base + 1, prev: base === head.seq ? head.hash : '', events: append.events };
}

/**
 * Whether the head is what the append was decided on: always, unless it names another append that it follows.
 * @param find where the append with this id begins in the stream, and its size
 */
export function isOnTop(head: Head, append: PreparedAppend, find: (id: string) => { seq: number; n: number } | null | undefined): boolean {
  if (append.follows === null) return true;
  const followed = find(append.follows);
  return followed != null && followed.seq + followed.n - 1 === head.seq;
}

/**
 * Puts an append in its place: after this head.
 * @throws DreamfoldError invalid_event for what readers would not take for an event: it would break the stream for ever
 */
export function stampAppend(append: PreparedAppend, head: Head, writer: string): StoredEvent[] {
  const n = append.events.length;
  let prev = head.hash;
  return append.events.map((event, i) => {
    const stored: StoredEvent = {
      stream: append.stream,
      seq: head.seq + 1 + i,
      id: eventId(append.id, i),
      time: append.time,
      prev,
      hash: '',
      type: event.type,
      v: event.v,
      class: event.class,
      epoch: event.epoch,
      append: { id: append.id, i, n },
      writer,
      causation: event.causation,
      correlation: append.correlation,
      actor: event.actor,
      dataHash: sha256(event.data),
      data: event.data,
    };
    prev = sha256(hashInput(stored));
    stored.hash = prev;
    if (!isStoredEvent(stored)) throw unreadable(append.stream, { seq: head.seq + 1 + i, i });
    return stored;
  });
}

function unreadable(stream: string, { seq, i }: { seq: number; i: number }): DreamfoldError {
  return new DreamfoldError('invalid_event', `${stream}#${seq} would be no event to those who read it`, {
    path: `events/${i}`,
    remedy: 'Correct its actor, causation, id or type: docs/events.md says what a field of the envelope may hold.',
  });
}

/** The error of a refused append, except `id_used`, which is answered with what counted. */
export function refusalError(reason: Exclude<Refusal, 'id_used'>, append: PreparedAppend, head: Head): DreamfoldError {
  if (reason === 'fenced' || (reason === 'ahead' && append.expected === head.seq)) {
    return new DreamfoldError('fenced', `${append.stream} is owned under epoch ${head.epoch}, and this append was made under another`, {
      path: append.stream,
      value: head.epoch,
      remedy: 'Stop working on this stream; to take it over, append a claim with the next epoch.',
    });
  }
  return new DreamfoldError('head_conflict', `${append.stream} is at seq ${head.seq}, not ${append.expected}`, {
    path: append.stream,
    value: head.seq,
    remedy: 'Read what was added and decide again.',
  });
}

/**
 * Whether the events that counted under an append's id are the ones that this append would add.
 * @throws DreamfoldError idempotency_conflict
 */
export function checkSameAppend(append: PreparedAppend, counted: readonly Pick<StoredEvent, 'type' | 'dataHash'>[]): void {
  const same =
    counted.length === append.events.length &&
    append.events.every((event, i) => event.type === counted[i]!.type && sha256(event.data) === counted[i]!.dataHash);
  if (same) return;
  throw new DreamfoldError('idempotency_conflict', `The id ${append.id} was used in ${append.stream} for other events`, {
    path: append.stream,
    value: append.id,
    remedy: 'Derive the id from the cause, and use a new one for a new cause.',
  });
}

/**
 * The answer to an append that counted. Its events are only made when somebody looks at them: a bulk import never does.
 * @param positionAt the position of its event `i`
 */
export function answerAppend(stored: readonly StoredEvent[], epoch: number, positionAt: (i: number) => number): Appended {
  const { seq, hash } = stored.at(-1)!;
  let events: readonly LogEvent[] | undefined;
  return {
    head: { seq, hash, epoch },
    position: positionAt(stored.length - 1),
    get events() {
      return (events ??= stored.map((event, i) => toLogEvent(event, positionAt(i))));
    },
    duplicate: false,
  };
}
