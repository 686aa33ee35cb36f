import { DreamfoldError, EVENT_VERSION, isEventType, knownEvent, type LogEvent, type StoredEvent } from '@dreamfold/events';

/**
 * An event as its readers see it: payload parsed, and upcast when it was written in an older version.
 * A type or version newer than this code is given as it is.
 */
export function toLogEvent(stored: StoredEvent, position: number): LogEvent {
  const event: LogEvent = {
    position,
    stream: stored.stream,
    seq: stored.seq,
    id: stored.id,
    time: stored.time,
    type: stored.type,
    v: stored.v,
    causation: stored.causation,
    correlation: stored.correlation,
    actor: stored.actor,
    hash: stored.hash,
    data: stored.data === null ? null : parsePayload(stored.data, stored),
  };
  return upcast(event);
}

/** An event in the newest version of its type that this code knows; one that is newer, or of a type it does not know, as it is. */
export function upcast(event: LogEvent): LogEvent {
  return isEventType(event.type) && event.v < EVENT_VERSION[event.type] ? (knownEvent(event) ?? event) : event;
}

/** @throws DreamfoldError store_corrupt: what is stored was JSON when it was written */
export function parsePayload(text: string, at: { stream: string; seq: number }): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DreamfoldError('store_corrupt', `The payload of ${at.stream}#${at.seq} is not the JSON that was written`, {
      path: `${at.stream}#${at.seq}`,
      remedy: 'Run `dreamfold verify` to see what is damaged, and restore the data directory from a copy.',
      cause,
    });
  }
}

/** For a log that others write to: what is no JSON counts by its hash like everything else, and says nothing. */
export function parsePayloadIfJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
