/** Prefixes of Managed Agents ids, and our own for what it has no word for. */
export const ID_PREFIX = {
  session: 'sesn',
  event: 'sevt',
  thread: 'sthr',
  outcome: 'outc',
  memoryStore: 'memstore',
  patch: 'patch',
  insight: 'insight',
  dream: 'drm',
  writer: 'w',
  node: 'node',
} as const;
export type IdKind = keyof typeof ID_PREFIX;

/**
 * An id derived from its cause: the same cause gives the same id, so a retry counts once.
 * @param kind which prefix
 * @param digest base64url sha-256 of the cause, at least 16 characters
 */
export function idFrom(kind: IdKind, digest: string): string {
  // 16 base64url characters are 96 bits; '-' is kept for "-1", "-2" within an append, so it is mapped away.
  return `${ID_PREFIX[kind]}_${digest.slice(0, 16).replaceAll('-', 'A').replaceAll('_', 'B')}`;
}

/** The stream of a session, a memory store or a dream. */
export function streamOf(kind: 'session' | 'memory' | 'dream', id: string): string {
  return `${kind}/${id}`;
}

/** The id within a stream's name: `sesn_1` of `session/sesn_1`. */
export function idOfStream(stream: string): string {
  return stream.slice(stream.indexOf('/') + 1);
}
