import { DreamfoldError, Insight } from '@dreamfold/events';
import { z } from 'zod';
import { canonicalJson, utf8Bytes, type Sha256 } from './canonical-json.ts';
import { checkMemoryPath, checkPathsApart } from './memory-path.ts';

/** Limits of Managed Agents. */
export const MAX_MEMORY_BYTES = 102_400;
export const MAX_MEMORIES = 2000;

/** Free text. */
export const Note = z.strictObject({ kind: z.literal('note'), content: z.string() });
export type Note = z.infer<typeof Note>;

/** Typed insights, keyed by their id so that a JSON pointer to one stays true when others come and go. */
export const Playbook = z.strictObject({
  kind: z.literal('playbook'),
  title: z.string().min(1).max(200),
  insights: z.record(z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'is not an insight id'), Insight),
});
export type Playbook = z.infer<typeof Playbook>;

export const Memory = z.discriminatedUnion('kind', [Note, Playbook]);
export type Memory = z.infer<typeof Memory>;

/** All that a store holds. Never changed in place. */
export interface MemoryDocument {
  readonly memories: { readonly [path: string]: Memory };
}

export const EMPTY_DOCUMENT: MemoryDocument = { memories: {} };

/** `documentHash(EMPTY_DOCUMENT)`, written out so that the fold of an empty stream needs no hash function. */
export const EMPTY_DOCUMENT_HASH = '4-dVA9eaahJhd4oLpm7DS7GzxNnaypWRj5QKfflHhqw';

/** sha-256 of the document's canonical JSON. */
export function documentHash(document: MemoryDocument, sha256: Sha256): string {
  return sha256(canonicalJson(document));
}

/**
 * Checks a document of which only some memories have changed since it was last valid.
 * @param changed paths of the memories to check; the others are only checked for conflicts of path
 * @throws DreamfoldError invalid_path, path_conflict, invalid_patch, patch_too_large
 */
export function checkDocument(document: MemoryDocument, changed: Iterable<string>): void {
  const paths = Object.keys(document.memories);
  if (paths.length > MAX_MEMORIES) {
    throw new DreamfoldError('patch_too_large', `The store would hold ${paths.length} memories; the limit is ${MAX_MEMORIES}`, {
      path: '/memories',
      value: paths.length,
      remedy: 'Remove memories that are no longer used, or open a second store.',
    });
  }
  for (const path of changed) if (Object.hasOwn(document.memories, path)) checkMemory(path, document.memories[path]);
  checkPathsApart(paths);
}

function checkMemory(path: string, memory: unknown): void {
  checkMemoryPath(path);
  const parsed = Memory.safeParse(memory);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new DreamfoldError(
      'invalid_patch',
      `The patch would leave ${path} invalid: ${issue.path.join('.') || 'memory'}: ${issue.message}`,
      {
        path: `${path}: /${issue.path.join('/')}`,
        remedy: 'A memory is {kind: "note", content} or {kind: "playbook", title, insights}.',
      },
    );
  }
  if (parsed.data.kind === 'playbook') {
    for (const [id, insight] of Object.entries(parsed.data.insights)) {
      if (insight.id === id) continue;
      throw new DreamfoldError('invalid_patch', `The insight ${insight.id} stands under the key ${id}`, {
        path: `${path}: /insights/${id}`,
        value: insight.id,
        remedy: 'Use the id of the insight as its key.',
      });
    }
  }
  const bytes = utf8Bytes(parsed.data.kind === 'note' ? parsed.data.content : canonicalJson(parsed.data));
  if (bytes > MAX_MEMORY_BYTES) {
    throw new DreamfoldError('patch_too_large', `${path} would hold ${bytes} bytes; the limit is ${MAX_MEMORY_BYTES}`, {
      path,
      value: bytes,
      remedy: 'Split it into several memories.',
    });
  }
}
