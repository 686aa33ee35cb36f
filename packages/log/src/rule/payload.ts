import { DreamfoldError, JSON_LIMITS, MAX_EVENT_BYTES, parseJson } from '@dreamfold/events';

// What a payload may hold, for whoever writes one and for whoever takes one from another log: plain JSON of at most
// MAX_EVENT_BYTES, nested at most MAX_DEPTH deep. Every key is data, `__proto__` and `constructor` too, and so is every text: JSON
// writes NUL and half a surrogate pair as escapes. What an append takes, parsePayloadText takes, and gives back as it was.

const MAX_DEPTH = JSON_LIMITS.maxDepth;
const LIMITS = { maxBytes: MAX_EVENT_BYTES, maxDepth: MAX_DEPTH, maxKeys: Number.POSITIVE_INFINITY, anyText: true, anyKey: true };

/** Bytes of a payload's text, 0 for one so short that it need not be measured: a UTF-16 unit takes at most three bytes. */
function measuredBytes(text: string): number {
  return text.length * 3 <= MAX_EVENT_BYTES ? 0 : Buffer.byteLength(text);
}

/**
 * Makes the text that is stored and hashed.
 * @param path names the payload in errors
 * @returns the text, and the value that it gives back: what a schema has to hold of
 * @throws DreamfoldError invalid_event for what JSON cannot hold, json_too_deep (also for a cycle), payload_too_large
 */
export function encodePayload(data: unknown, path: string): { text: string; stored: unknown } {
  const isWhole = checkEncodable(data, path, 0);
  const text = JSON.stringify(data);
  const size = measuredBytes(text);
  if (size > MAX_EVENT_BYTES) {
    throw new DreamfoldError('payload_too_large', `The payload of an event is ${size} bytes long; the limit is ${MAX_EVENT_BYTES}`, {
      path,
      value: size,
      remedy: 'Store the large part with log.blobs.put() and name it in the event.',
    });
  }
  return { text, stored: isWhole ? data : JSON.parse(text) };
}

/**
 * JSON.stringify turns NaN and functions into null or nothing, a Map into {} and a Date into text, leaves out what a class gives
 * through getters, and throws bare errors for the rest. What was checked by its schema would not be what is stored.
 * @returns false where a field that is undefined is left out: a schema may take it, and miss the field in what is stored
 */
function checkEncodable(value: unknown, path: string, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      if (Number.isFinite(value)) return true;
      break;
    case 'object': {
      if (value === null) return true;
      if (depth >= MAX_DEPTH) {
        throw new DreamfoldError('json_too_deep', `The payload of an event is nested more than ${MAX_DEPTH} deep, or contains itself`, {
          path: path.slice(0, 200),
          remedy: 'Flatten it, and break the cycle if there is one.',
        });
      }
      const prototype: unknown = Object.getPrototypeOf(value);
      let isWhole = true;
      if (Array.isArray(value)) {
        if (prototype !== Array.prototype) break;
        for (let i = 0; i < value.length; i += 1) isWhole = checkEncodable(value[i], path, depth + 1) && isWhole;
        return isWhole;
      }
      if (prototype !== Object.prototype && prototype !== null) break;
      for (const key in value) {
        const child = (value as Record<string, unknown>)[key];
        isWhole = child === undefined ? false : checkEncodable(child, path, depth + 1) && isWhole;
      }
      return isWhole;
    }
    default:
  }
  throw notPlain(value, path);
}

function notPlain(value: unknown, path: string): DreamfoldError {
  const what = typeof value === 'number' ? String(value) : typeof value === 'object' ? nameOfClass(value) : typeof value;
  return new DreamfoldError(
    'invalid_event',
    `The payload of an event holds ${typeof value === 'number' ? what : `a value of type ${what}`}, which JSON cannot`,
    { path, value: what, remedy: 'Use strings, finite numbers, booleans, null, arrays and plain objects.' },
  );
}

function nameOfClass(value: unknown): string {
  const name: unknown = (value as { constructor?: { name?: unknown } } | null)?.constructor?.name;
  return typeof name === 'string' && name !== '' ? name.slice(0, 80) : 'object';
}

/**
 * Checks a stored payload of any type before it is taken from another log: what cannot be read again must not come in.
 * @param where names the event in errors
 * @returns the payload
 * @throws DreamfoldError invalid_json, payload_too_large, json_too_deep, forbidden_key (a key that stands twice)
 */
export function parsePayloadText(text: string, where: string): unknown {
  const size = measuredBytes(text);
  if (size <= MAX_EVENT_BYTES) return parseJson(text, where, LIMITS);
  throw new DreamfoldError('payload_too_large', `${where} has a payload of ${size} bytes; the limit is ${MAX_EVENT_BYTES}`, {
    path: where,
    value: size,
    remedy: 'Export it again from the log that it came from; this was not written by a log.',
  });
}
