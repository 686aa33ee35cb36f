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

/** What has been computed of values that never change, and that the next version of a document shares. */
const encodings = new WeakMap<Insight, { json: string; bytes: number }>();
const digests = new WeakMap<Sha256, WeakMap<Memory, string>>();

function encodedInsight(insight: Insight): { json: string; bytes: number } {
  let known = encodings.get(insight);
  if (known === undefined) {
    const json = canonicalJson(insight);
    known = { json, bytes: utf8Bytes(json) };
    encodings.set(insight, known);
  }
  return known;
}

/** Canonical JSON of a memory; of a playbook, only the insights that are new are encoded. */
function encodedMemory(memory: Memory): string {
  if (memory.kind === 'note') return canonicalJson(memory);
  const insights = Object.keys(memory.insights)
    .sort()
    .map((id) => `${JSON.stringify(id)}:${encodedInsight(memory.insights[id]!).json}`);
  return `{"insights":{${insights.join(',')}},"kind":"playbook","title":${JSON.stringify(memory.title)}}`;
}

/** Bytes of `encodedMemory`, without putting it together. */
function playbookBytes({ title, insights }: Playbook): number {
  const ids = Object.keys(insights);
  const frame = utf8Bytes(encodedMemory({ kind: 'playbook', title, insights: {} })) + Math.max(0, ids.length - 1);
  return ids.reduce((sum, id) => sum + id.length + 3 + encodedInsight(insights[id]!).bytes, frame);
}

/**
 * sha-256 of `{"memories":{PATH:D,…}}` in canonical JSON, where D is the sha-256 of that memory's canonical JSON: so a
 * change costs what it touches, not the whole document.
 */
export function documentHash(document: MemoryDocument, sha256: Sha256): string {
  let known = digests.get(sha256);
  if (known === undefined) digests.set(sha256, (known = new WeakMap()));
  const members = Object.keys(document.memories)
    .sort()
    .map((path) => {
      const memory = document.memories[path]!;
      let digest = known.get(memory);
      if (digest === undefined) known.set(memory, (digest = sha256(encodedMemory(memory))));
      return `${JSON.stringify(path)}:"${digest}"`;
    });
  return sha256(`{"memories":{${members.join(',')}}}`);
}

/** A part of a document that a patch has written: a whole memory, or one insight of a playbook. */
export interface WrittenPart {
  path: string;
  insight: string | null;
}

/**
 * Checks a document of which some parts have changed since it was the valid `base`.
 * @throws DreamfoldError invalid_path, path_conflict, invalid_patch, patch_too_large
 */
export function checkDocument(document: MemoryDocument, base: MemoryDocument, written: readonly WrittenPart[]): void {
  const paths = Object.keys(document.memories);
  if (paths.length > MAX_MEMORIES) {
    throw new DreamfoldError('patch_too_large', `The store would hold ${paths.length} memories; the limit is ${MAX_MEMORIES}`, {
      path: '/memories',
      value: paths.length,
      remedy: 'Remove memories that are no longer used, or open a second store.',
    });
  }
  const changed = new Map<string, Set<string> | 'whole'>();
  for (const { path, insight } of written) {
    const parts = changed.get(path) ?? new Set();
    const whole = insight === null || parts === 'whole' || !Object.hasOwn(base.memories, path);
    changed.set(path, whole ? 'whole' : parts.add(insight));
  }
  const added: string[] = [];
  for (const [path, parts] of changed) {
    if (!Object.hasOwn(document.memories, path)) continue;
    if (!Object.hasOwn(base.memories, path)) {
      checkMemoryPath(path);
      added.push(path);
    }
    if (parts === 'whole') checkMemory(path, document.memories[path]);
    else for (const id of parts) checkInsight(path, id, document.memories[path] as Playbook);
    checkSize(path, document.memories[path]!);
  }
  checkPathsApart(paths, added);
}

function checkMemory(path: string, memory: unknown): void {
  const parsed = Memory.safeParse(memory);
  if (!parsed.success) throw invalidPart(path, parsed.error.issues[0]!);
  if (parsed.data.kind === 'playbook') for (const id of Object.keys(parsed.data.insights)) checkInsightId(path, id, parsed.data);
}

/** Of a playbook that was valid, one insight that may have been added, changed or removed. */
function checkInsight(path: string, id: string, playbook: Playbook): void {
  if (!Object.hasOwn(playbook.insights, id)) return;
  const parsed = Playbook.shape.insights.safeParse({ [id]: playbook.insights[id] });
  if (!parsed.success) throw invalidPart(path, parsed.error.issues[0]!, ['insights']);
  checkInsightId(path, id, playbook);
}

function checkInsightId(path: string, key: string, { insights }: Playbook): void {
  const { id } = insights[key]!;
  if (id === key) return;
  throw new DreamfoldError('invalid_patch', `The insight ${id} stands under the key ${key}`, {
    path: `${path}: /insights/${key}`,
    value: id,
    remedy: 'Use the id of the insight as its key.',
  });
}

function invalidPart(path: string, issue: z.core.$ZodIssue, within: readonly string[] = []): DreamfoldError {
  const at = [...within, ...issue.path];
  return new DreamfoldError('invalid_patch', `The patch would leave ${path} invalid: ${at.join('.') || 'memory'}: ${issue.message}`, {
    path: `${path}: /${at.join('/')}`,
    remedy: 'A memory is {kind: "note", content} or {kind: "playbook", title, insights}.',
  });
}

function checkSize(path: string, memory: Memory): void {
  const bytes = memory.kind === 'note' ? utf8Bytes(memory.content) : playbookBytes(memory);
  if (bytes <= MAX_MEMORY_BYTES) return;
  throw new DreamfoldError('patch_too_large', `${path} would hold ${bytes} bytes; the limit is ${MAX_MEMORY_BYTES}`, {
    path,
    value: bytes,
    remedy: 'Split it into several memories.',
  });
}
