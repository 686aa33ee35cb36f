import { z } from 'zod';
import { DREAM_EVENTS } from './dream-events.ts';
import { DreamfoldError } from './errors.ts';
import type { LogEvent } from './envelope.ts';
import { MAX_LABELLER_CHARS } from './names.ts';
import { MEMORY_EVENTS } from './memory-events.ts';
import { SESSION_EVENTS } from './session-events.ts';
import { RAISED_VERSIONS, UPCASTERS } from './upcasters.ts';

/** Stands at the beginning of every log (of every partition, on Kafka) and names it. */
export const LogGenesis = z.object({
  log_id: z.string(),
  rule: z.int().positive(),
  partitions: z.int().positive(),
  erasure: z.boolean(),
});
export type LogGenesis = z.infer<typeof LogGenesis>;

const Skipped = z.array(z.object({ stream: z.string(), seq: z.int().positive(), reason: z.string() })).max(1000);

/**
 * An export was imported of which not all could be restored: with --skip-bad, or what its own log had not. Stands in the stream of the
 * log itself; a long list is recorded in parts.
 */
export const ImportSkipped = z.object({
  /** Name of the file. */
  source: z.string(),
  /** Events that are here without their payload, which was bad in the file, or not in it: envelope and hash are those of the log that it came from. */
  missing: Skipped,
  /** Streams that end before this event, whose envelope was bad in the file or missing. */
  ended: Skipped,
});
export type ImportSkipped = z.infer<typeof ImportSkipped>;

/** Ids that one event of an erasure names at most; its payload stays far below the largest. */
export const MAX_ERASED = 500;
/** Characters of the reason for an erasure. */
export const MAX_ERASURE_REASON_CHARS = 500;

/**
 * Payloads that nobody is to read again: of events that stand before it in its stream, named by their ids. Every reader of the log hides
 * them from then on; their envelopes and hashes stay. It may stand in any stream but those of the log itself, is no input of a session,
 * a store or a dream, and its own payload is never erased.
 */
export const LogErased = z.object({
  events: z.array(z.string().min(1)).min(1).max(MAX_ERASED),
  /** In plain words that hold nothing of what was erased: it can't be erased itself. */
  reason: z.string().min(1).max(MAX_ERASURE_REASON_CHARS),
  /** Who asked for it. */
  by: z.string().min(1).max(MAX_LABELLER_CHARS).optional(),
});
export type LogErased = z.infer<typeof LogErased>;

/** Every event type, once. The newest version of each; older ones are turned into it by an upcaster. */
export const CATALOGUE = {
  'log.genesis': LogGenesis,
  'log.import_skipped': ImportSkipped,
  'log.erased': LogErased,
  ...SESSION_EVENTS,
  ...MEMORY_EVENTS,
  ...DREAM_EVENTS,
} as const;

export type EventType = keyof typeof CATALOGUE;
export type EventData = { [T in EventType]: z.infer<(typeof CATALOGUE)[T]> };

/** The event of one type, or any event of the catalogue: a union discriminated by `type`. */
export type KnownEvent<T extends EventType = EventType> = { [K in T]: LogEvent<EventData[K]> & { type: K } }[T];

/**
 * An event of a type that this code does not know: a newer Dreamfold wrote it. At run time `type` is its name. For the compiler one text stands
 * for all such names: with `string` in its place, a `case` of a known name would let this event in too, and `data` would stay unknown.
 */
export type UnknownEvent = LogEvent & { type: '(newer than this code)' };

/** The types of events that stand in the stream of a session. */
export type SessionEventType = keyof typeof SESSION_EVENTS | 'log.erased';

/**
 * Any event of a session, discriminated by `type`: a `switch` over it narrows `data`. A version of a type that is newer than this code has
 * other fields than its type says; `knownEvent` gives null for it.
 */
export type SessionEvent = KnownEvent<SessionEventType> | UnknownEvent;

/** Any event of a session as it is read back later: as {@link SessionEvent}, or with null for data that was erased. */
export type RecordedEvent = { [K in SessionEventType]: LogEvent<EventData[K] | null> & { type: K } }[SessionEventType] | UnknownEvent;

/** The version that new events of a type are written in. */
export const EVENT_VERSION = {
  ...Object.fromEntries(Object.keys(CATALOGUE).map((type) => [type, 1])),
  ...RAISED_VERSIONS,
} as Readonly<Record<EventType, number>>;

export function isEventType(type: string): type is EventType {
  return Object.hasOwn(CATALOGUE, type);
}

/** The kind of stream that a type stands in; `any` for an erasure. Its name does not always tell: `memory.given` is of a session. */
export function streamKindOf(type: EventType): 'log' | 'session' | 'memory' | 'dream' | 'any' {
  if (type === 'log.erased') return 'any';
  if (type in SESSION_EVENTS) return 'session';
  if (type in MEMORY_EVENTS) return 'memory';
  return type in DREAM_EVENTS ? 'dream' : 'log';
}

/**
 * The event as this code knows it, or null when its type or version is newer than this code.
 * An erased payload (null) passes.
 */
export function knownEvent(event: LogEvent): KnownEvent | null {
  if (!isEventType(event.type) || event.v > EVENT_VERSION[event.type]) return null;
  if (event.v === EVENT_VERSION[event.type] || event.data === null) return event as KnownEvent;
  let data: unknown = event.data;
  for (let v = event.v; v < EVENT_VERSION[event.type]; v += 1) data = (UPCASTERS[`${event.type}@${v}`] as (data: unknown) => unknown)(data);
  return { ...event, v: EVENT_VERSION[event.type], data } as KnownEvent;
}

/**
 * Checks a payload before it is written.
 * @throws DreamfoldError unknown_event_type, unsupported_schema_version, invalid_event
 */
export function checkPayload(type: string, v: number, data: unknown): void {
  if (!isEventType(type)) {
    throw new DreamfoldError('unknown_event_type', `No event has the type ${JSON.stringify(type)}`, {
      path: 'type',
      value: type,
      remedy: 'Use a type of the event reference (docs/events.md), or a newer Dreamfold.',
    });
  }
  if (v !== EVENT_VERSION[type]) {
    throw new DreamfoldError('unsupported_schema_version', `${type} is written in version ${EVENT_VERSION[type]}, not ${v}`, {
      path: 'v',
      value: v,
      remedy: 'Write the newest version; older ones are only read.',
    });
  }
  if (CATALOGUE[type].safeParse(data).success) return;
  // Once more, for the value: reporting it on the way would slow every good payload down.
  const result = CATALOGUE[type].safeParse(data, { reportInput: true });
  if (!result.success) {
    const issue = result.error.issues[0]!;
    throw new DreamfoldError('invalid_event', `${type}: ${issue.path.join('.') || 'payload'}: ${issue.message}`, {
      path: `/${issue.path.join('/')}`,
      value: issue.input,
      remedy: 'Correct the field; docs/events.md lists the fields of every event.',
    });
  }
}
