import type { PatchOperation } from '@dreamfold/events';
import { canonicalJson, utf8Bytes } from './canonical-json.ts';
import { MAX_OPERATIONS, MAX_PATCH_BYTES } from './check-operations.ts';
import type { Memory, MemoryDocument, Playbook } from './document.ts';
import { parsePointer, pointerOf, valueAt } from './json-pointer.ts';

/** A playbook in which more than this changes is written anew: it may not pass its limit between two patches. */
const MAX_PLAYBOOK_OPERATIONS = 20;
/** The brackets and commas of a patch and its inverse. */
const FRAME_BYTES = 4 * MAX_OPERATIONS;

/** The operations that make one document equal to another: none when they are. The same two always give the same ones. */
export function patchTowards(from: MemoryDocument, to: MemoryDocument): PatchOperation[] {
  return groupsTowards(from, to).flat();
}

/**
 * The same as a sequence of patches, each within the limits of a patch: applied one after the other, they make `from` equal to `to`.
 */
export function patchesTowards(from: MemoryDocument, to: MemoryDocument): PatchOperation[][] {
  const patches: PatchOperation[][] = [];
  let bytes = 0;
  for (const group of groupsTowards(from, to)) {
    const cost = costOf(group, from);
    if (cost > MAX_PATCH_BYTES - FRAME_BYTES) {
      // The value that goes and the one that comes do not fit into one patch with its inverse.
      const { path } = group[0]!;
      const memory = pointerOf(parsePointer(path, path).slice(0, 2));
      patches.push([{ op: 'remove', path: memory }], [{ op: 'add', path: memory, value: valueAt(to, parsePointer(memory, memory)) }]);
      bytes = Number.POSITIVE_INFINITY;
      continue;
    }
    const open = patches.at(-1);
    if (open !== undefined && open.length + group.length <= MAX_OPERATIONS && bytes + cost <= MAX_PATCH_BYTES - FRAME_BYTES) {
      open.push(...group);
      bytes += cost;
    } else {
      patches.push([...group]);
      bytes = cost;
    }
  }
  return patches;
}

/** Bytes of the operations and, at most, of their inverse. */
function costOf(operations: readonly PatchOperation[], from: MemoryDocument): number {
  return operations.reduce((sum, operation) => {
    const value = valueAt(from, parsePointer(operation.path, operation.path));
    return sum + utf8Bytes(canonicalJson([operation, { ...operation, op: 'replace', value: value ?? null }]));
  }, 0);
}

/** The operations of each memory that differs; those that go first, so that their paths are free for those that come. */
function groupsTowards(from: MemoryDocument, to: MemoryDocument): PatchOperation[][] {
  const paths = [...new Set([...Object.keys(from.memories), ...Object.keys(to.memories)])].sort();
  const there = (document: MemoryDocument, path: string): Memory | undefined =>
    Object.hasOwn(document.memories, path) ? document.memories[path] : undefined;
  const gone: PatchOperation[][] = [];
  const changed: PatchOperation[][] = [];
  for (const path of paths) {
    const [before, after] = [there(from, path), there(to, path)];
    const pointer = pointerOf(['memories', path]);
    if (after === undefined) gone.push([{ op: 'remove', path: pointer }]);
    else if (before === undefined) changed.push([{ op: 'add', path: pointer, value: after }]);
    else if (before !== after) changed.push(memoryTowards(pointer, before, after));
  }
  return [...gone, ...changed].filter((group) => group.length > 0);
}

function memoryTowards(pointer: string, before: Memory, after: Memory): PatchOperation[] {
  const whole: PatchOperation[] = [{ op: 'replace', path: pointer, value: after }];
  if (before.kind === 'note' && after.kind === 'note') {
    return before.content === after.content ? [] : [{ op: 'replace', path: `${pointer}/content`, value: after.content }];
  }
  if (before.kind === 'note' || after.kind === 'note') return whole;
  const operations = playbookTowards(pointer, before, after);
  return operations.length > MAX_PLAYBOOK_OPERATIONS ? whole : operations;
}

function playbookTowards(pointer: string, before: Playbook, after: Playbook): PatchOperation[] {
  const operations: PatchOperation[] = [];
  const at = (id: string): string => `${pointer}/insights/${id}`;
  if (before.title !== after.title) operations.push({ op: 'replace', path: `${pointer}/title`, value: after.title });
  for (const id of Object.keys(before.insights).sort()) {
    if (!Object.hasOwn(after.insights, id)) operations.push({ op: 'remove', path: at(id) });
  }
  for (const id of Object.keys(after.insights).sort()) {
    const value = after.insights[id]!;
    if (!Object.hasOwn(before.insights, id)) operations.push({ op: 'add', path: at(id), value });
    else if (canonicalJson(before.insights[id]) !== canonicalJson(value)) operations.push({ op: 'replace', path: at(id), value });
  }
  return operations;
}
