import { z } from 'zod';
import { hasAtMost } from './guards/text-length.ts';

/** Version of the rule of acceptance and of the hash's input. It stands first in every hash. */
export const RULE = 1;

/** `prev` of the first event of a stream. */
export const GENESIS_HASH = '0';

/** The largest stored payload of one event. Anything larger is a blob that the event names. */
export const MAX_EVENT_BYTES = 256 * 1024;

/** The last moment that a Date can hold. */
const MAX_TIME_MS = 8_640_000_000_000_000;

/**
 * Who may write an event: `open` anyone, `owner` only the holder of the stream's current epoch,
 * `claim` whoever takes the stream over with the next epoch.
 */
export const WriteClass = z.enum(['open', 'owner', 'claim']);
export type WriteClass = z.infer<typeof WriteClass>;

/** Characters (code points) of a field, for the schema and for {@link isStoredEvent} alike. */
const MAX_LINE = 200;

/** The id of an event is that of its append, which is a field, and `-` with its place there. */
const MAX_EVENT_ID = MAX_LINE + 1 + String(Number.MAX_SAFE_INTEGER).length;

/** Control characters would break the envelope's line form, and half a surrogate pair no store gives back as it was. */
// oxlint-disable-next-line no-control-regex -- control characters are what it keeps out
const LINE = /^[^\u0000-\u001f\u007f\ud800-\udfff]*$/u;

const line = (max: number) => z.string().max(max).regex(LINE, 'holds a control character or half a surrogate pair');
const Line = line(MAX_LINE);

const MAX_STREAM_NAME = 120;
const STREAM_NAME = /^(session|memory|dream|agent|log)\/[A-Za-z0-9_-]+$/;

export const StreamName = z.string().max(MAX_STREAM_NAME).regex(STREAM_NAME, 'is not kind/id, such as session/sesn_4k2…');

/**
 * What caused an event: the seq of an event in the same stream, `stream#seq` for an event of another
 * stream, or null for something that came from outside. Neither empty nor with `#` first, so that no two causes hash alike.
 */
export const Causation = z.union([z.int().positive(), Line.regex(/^[^#]/, 'begins with #, or is empty'), z.null()]);
export type Causation = z.infer<typeof Causation>;

/** The envelope of an event: everything about it but its payload. `hash` covers all the rest, and the payload by `dataHash`. */
export const Envelope = z.strictObject({
  stream: StreamName,
  /** 1 for a stream's first event, without gaps. */
  seq: z.int().positive(),
  /** Of its append; of an inner event of an append, with `-1`, `-2`, … after it. */
  id: line(MAX_EVENT_ID).min(1),
  /** Milliseconds since 1970. Informative: order is `seq`, never time. */
  time: z.int().nonnegative().max(MAX_TIME_MS),
  prev: Line,
  hash: Line,
  type: Line.min(1),
  v: z.int().positive(),
  class: WriteClass,
  epoch: z.int().nonnegative(),
  /** The append that this event is part of: event `i` of `n`, counted from 0. All count, or none. */
  append: z.strictObject({ id: Line.min(1), i: z.int().nonnegative(), n: z.int().positive() }),
  /** A random name of the process that wrote, so that two writers never make the same bytes. */
  writer: Line.min(1),
  causation: Causation,
  /** What this belongs to from the outside: the id of the request that started it. */
  correlation: Line.min(1).nullable(),
  /** Who did it: a thread (`sthr_…`), `user`, `system`, `person:NAME`, `grader:NAME`, `dream:ID`. */
  actor: Line.min(1),
  dataHash: Line,
});
export type Envelope = z.infer<typeof Envelope>;

/** An event as it is stored: the payload is the text that was hashed, or null once it is erased. */
export interface StoredEvent extends Envelope {
  data: string | null;
}

const FIELDS: ReadonlySet<string> = new Set([...Object.keys(Envelope.shape), 'data']);

/**
 * The version of what {@link isStoredEvent} answers. It is raised when more comes to be an event than before: who has set a record
 * aside by an older answer, on a log that others write to, has to read it again. It never answers no where it has answered yes.
 */
export const STORED_EVENT_VERSION = 2;

/**
 * Whether a value has the shape of a stored event: {@link Envelope}'s own answer, and `data` is text or null. An append asks it of
 * what it is about to store, and every reader of what is stored. Written by hand, since it takes a tenth of the time.
 */
export function isStoredEvent(value: unknown): value is StoredEvent {
  if (typeof value !== 'object' || value === null || !hasExactly(value, FIELDS)) return false;
  const e = value as Record<keyof StoredEvent, unknown>;
  return (
    (e.data === null || typeof e.data === 'string') &&
    isStreamName(e.stream) &&
    isCount(e.seq, 1) &&
    isName(e.id, MAX_EVENT_ID) &&
    isTime(e.time) &&
    isLine(e.prev) &&
    isLine(e.hash) &&
    isName(e.type) &&
    isCount(e.v, 1) &&
    (e.class === 'open' || e.class === 'owner' || e.class === 'claim') &&
    isCount(e.epoch, 0) &&
    isAppend(e.append) &&
    isName(e.writer) &&
    isCausation(e.causation) &&
    (e.correlation === null || isName(e.correlation)) &&
    isName(e.actor) &&
    isLine(e.dataHash)
  );
}

const APPEND_FIELDS: ReadonlySet<string> = new Set(Object.keys(Envelope.shape.append.shape));

function isAppend(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !hasExactly(value, APPEND_FIELDS)) return false;
  const append = value as Record<keyof Envelope['append'], unknown>;
  return isName(append.id) && isCount(append.i, 0) && isCount(append.n, 1);
}

function hasExactly(value: object, fields: ReadonlySet<string>): boolean {
  const keys = Object.keys(value);
  return keys.length === fields.size && keys.every((key) => fields.has(key));
}

function isLine(value: unknown, max = MAX_LINE): value is string {
  return typeof value === 'string' && hasAtMost(value, max) && LINE.test(value);
}

function isName(value: unknown, max = MAX_LINE): boolean {
  return isLine(value, max) && value !== '';
}

function isStreamName(value: unknown): boolean {
  return typeof value === 'string' && value.length <= MAX_STREAM_NAME && STREAM_NAME.test(value);
}

function isCount(value: unknown, least: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= least;
}

function isTime(value: unknown): boolean {
  return isCount(value, 0) && value <= MAX_TIME_MS;
}

function isCausation(value: unknown): boolean {
  return value === null || isCount(value, 1) || (isName(value) && !(value as string).startsWith('#'));
}

/** The fields of an envelope that come from who appends. */
export type AppendField = 'stream' | 'id' | 'correlation' | 'time' | 'actor' | 'causation' | 'epoch';

/** Whether {@link isStoredEvent} takes a value for a field; `id` is that of an append. {@link Envelope} says why not. */
export function isAppendField(name: AppendField, value: unknown): boolean {
  switch (name) {
    case 'stream':
      return isStreamName(value);
    case 'id':
    case 'actor':
      return isName(value);
    case 'correlation':
      return value === null || isName(value);
    case 'time':
      return isTime(value);
    case 'causation':
      return isCausation(value);
    case 'epoch':
      return isCount(value, 0);
  }
}

/** An event as its readers see it: the payload is parsed and upcast to the newest version of its type. */
export interface LogEvent<D = unknown> {
  /** Place in the whole log, from 1. Two logs with the same streams may differ in it. */
  position: number;
  stream: string;
  seq: number;
  id: string;
  time: number;
  type: string;
  v: number;
  causation: Causation;
  correlation: string | null;
  actor: string;
  hash: string;
  /** null when the payload was erased. */
  data: D;
}

/** An event that is about to be appended. The log adds its place in the stream. */
export interface NewEvent<T extends string = string, D = unknown> {
  type: T;
  data: D;
  /** Defaults to the version in the catalogue. */
  v?: number;
  class: WriteClass;
  actor: string;
  causation?: Causation;
}

/**
 * The bytes that an event's hash is taken over: one line a field, in this order, payload by its hash.
 * @returns text whose sha-256 (base64url) is the event's `hash`
 */
export function hashInput(e: Omit<Envelope, 'hash'>): string {
  return `${RULE}\n${e.stream}\n${e.seq}\n${e.id}\n${e.time}\n${e.prev}\n${e.type}\n${e.v}\n${e.class}\n${e.epoch}\n${e.append.id}\n${e.append.i}\n${e.append.n}\n${e.writer}\n${typeof e.causation === 'number' ? `#${e.causation}` : (e.causation ?? '')}\n${e.correlation ?? ''}\n${e.actor}\n${e.dataHash}`;
}

/** The id of event `i` of an append: the append's own id, then `id-1`, `id-2`, … */
export function eventId(appendId: string, i: number): string {
  return i === 0 ? appendId : `${appendId}-${i}`;
}
