import { DreamfoldError, JSON_LIMITS, MAX_EVENT_BYTES, parseJson } from '@dreamfold/events';

// Text with NUL or half a surrogate pair may have been appended: JSON writes both as escapes.
const LIMITS = { maxBytes: MAX_EVENT_BYTES, maxDepth: JSON_LIMITS.maxDepth, maxKeys: Number.POSITIVE_INFINITY, anyText: true };

/**
 * Checks a stored payload of any type before it is taken from another log: what cannot be read again must not come in.
 * @param where names the event in errors
 * @returns the payload
 * @throws DreamfoldError invalid_json, payload_too_large, json_too_deep, forbidden_key
 */
export function parsePayloadText(text: string, where: string): unknown {
  // A character takes at most three bytes, so short texts need not be measured.
  const size = text.length * 3 <= MAX_EVENT_BYTES ? 0 : Buffer.byteLength(text);
  if (size <= MAX_EVENT_BYTES) return parseJson(text, where, LIMITS);
  throw new DreamfoldError('payload_too_large', `${where} has a payload of ${size} bytes; the limit is ${MAX_EVENT_BYTES}`, {
    path: where,
    value: size,
    remedy: 'Export it again from the log that it came from; this was not written by a log.',
  });
}
