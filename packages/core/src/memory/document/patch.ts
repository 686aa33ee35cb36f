import { DreamfoldError, type PatchOperation } from '@dreamfold/events';
import jsonpatch, { type Operation } from 'fast-json-patch';
import { canonicalJson, equalJson, utf8Bytes } from './canonical-json.ts';
import { MAX_PATCH_BYTES, checkOperations, operationBytes, tooLarge } from './check-operations.ts';
import { checkDocument, type Memory, type MemoryDocument, type WrittenPart } from './document.ts';
import { checkPointer, parsePointer, valueAt } from './json-pointer.ts';

export interface PatchResult {
  document: MemoryDocument;
  /** Takes `document` back to the base, byte for byte in canonical JSON. Holds only add, remove and replace. */
  inverse: PatchOperation[];
}

/** The newest application: a patch is proposed, applied and folded on one and the same document. */
let newest: { base: MemoryDocument; operations: readonly PatchOperation[]; result: PatchResult } | null = null;

/**
 * Applies an RFC 6902 patch from outside: all of it or none. The base is never changed.
 * fast-json-patch alone leaves half of a failing patch behind, lets a few `copy` operations grow a document
 * 70,000 times, and replaces the root; so form, paths, pointers and growth are checked here, and it only ever
 * sees one operation that has been found good, on a copy.
 * @throws DreamfoldError what checkOperations and checkDocument throw; invalid_pointer; precondition_failed when a
 * `test` fails
 */
export function applyOperations(base: MemoryDocument, operations: unknown): PatchResult {
  const checked = checkOperations(operations);
  if (newest?.base === base && newest.operations === checked) return newest.result;
  const result = runOperations(base, checked);
  const bytes = operationBytes(checked) + operationBytes(result.inverse);
  if (bytes > MAX_PATCH_BYTES) throw tooLarge(`The patch and its inverse have ${bytes} bytes; the limit is ${MAX_PATCH_BYTES}`, bytes);
  newest = { base, operations: checked, result };
  return result;
}

/** Applies operations whose form has been checked: those of a patch, or its inverse. */
export function runOperations(base: MemoryDocument, operations: readonly PatchOperation[]): PatchResult {
  const draft = draftOf(base, operations);
  const growth = growthGuard(base, operations);
  const shared = sharedUnits(operations);
  for (const [index, operation] of operations.entries()) {
    // What a later operation may change is a copy: the patch itself stays as it is.
    const own = 'value' in operation && shared.has(unitOf(operation.path)) ? copied(operation) : operation;
    applyOne(draft, own, { where: `/${index}`, growth });
  }
  const writes = prefixFree(operations.flatMap(writtenUnits));
  checkDocument(draft, base, writes.map(partOf));
  return { document: draft, inverse: inverseOf(base, draft, writes) };
}

/**
 * What a patch depends on or changes, as pointers. The finest part is an insight, or a field of a memory: two patches
 * that share none can be applied in either order, and one can be rolled back without the other.
 */
export function touchedUnits(operations: readonly PatchOperation[]): string[] {
  return prefixFree(operations.flatMap((operation) => targetsOf(operation).map(unitOf)));
}

/** The memories, or single insights of them, that a patch writes. */
export function touchedParts(operations: readonly PatchOperation[]): WrittenPart[] {
  return prefixFree(operations.flatMap(writtenUnits)).map(partOf);
}

/** True when a unit of one is, or contains, a unit of the other. */
export function unitsOverlap(a: readonly string[], b: readonly string[]): boolean {
  return a.some((x) => b.some((y) => x === y || x.startsWith(`${y}/`) || y.startsWith(`${x}/`)));
}

function targetsOf(operation: PatchOperation): string[] {
  return 'from' in operation ? [operation.from, operation.path] : [operation.path];
}

/** `/memories/PATH/insights/ID` at most: within an insight, array indexes shift and nothing stands apart. */
function unitOf(pointer: string): string {
  return pointer.split('/').slice(0, 5).join('/');
}

/** What has to be checked once a unit is written. */
function partOf(unit: string): WrittenPart {
  const [, path, field, insight] = parsePointer(unit, unit);
  return { path: path!, insight: field === 'insights' ? (insight ?? null) : null };
}

function writtenUnits(operation: PatchOperation): string[] {
  if (operation.op === 'test') return [];
  return operation.op === 'move' ? targetsOf(operation).map(unitOf) : [unitOf(operation.path)];
}

/** Units that more than one operation writes into. */
function sharedUnits(operations: readonly PatchOperation[]): Set<string> {
  const written = operations.flatMap(writtenUnits);
  return new Set(written.filter((unit, i) => written.some((other, j) => i !== j && unitsOverlap([unit], [other]))));
}

function prefixFree(units: readonly string[]): string[] {
  const distinct = [...new Set(units)].sort();
  return distinct.filter((unit) => !distinct.some((other) => unit.startsWith(`${other}/`)));
}

/** A document in which all that the operations can change is a copy, and everything else is shared with the base. */
function draftOf(base: MemoryDocument, operations: readonly PatchOperation[]): { memories: Record<string, Memory> } {
  const memories = { ...base.memories };
  for (const operation of operations) {
    if (operation.op === 'test') continue;
    for (const pointer of targetsOf(operation)) {
      const [, path, field, insight] = parsePointer(pointer, pointer);
      if (!Object.hasOwn(memories, path!)) continue;
      const memory = memories[path!]!;
      if (field === 'insights' && insight !== undefined && memory.kind === 'playbook') {
        // What is replaced as a whole is not changed itself.
        const isWhole = operation.op !== 'move' && pointer.split('/').length === 5;
        const own = !isWhole && Object.hasOwn(memory.insights, insight) ? { [insight]: copied(memory.insights[insight]!) } : {};
        memories[path!] = { ...memory, insights: { ...memory.insights, ...own } };
        continue;
      }
      // What is moved can be changed where it has gone; otherwise only the memory's own fields are set here.
      memories[path!] = operation.op === 'move' ? copied(memory) : { ...memory };
    }
  }
  return { memories };
}

function copied<T>(value: T): T {
  return jsonpatch.deepClone(value) as T;
}

/** Copies may at most double what the patch brings and the memories that it names. */
function growthGuard(base: MemoryDocument, operations: readonly PatchOperation[]): (copied: unknown) => void {
  const bytesOf = (value: unknown): number => (value === undefined ? 0 : utf8Bytes(canonicalJson(value)));
  let left: number | null = null;
  return (copied) => {
    left ??= bytesOf(operations) + memoriesOf(operations).reduce((sum, path) => sum + bytesOf(valueAt(base, ['memories', path])), 0);
    left -= bytesOf(copied);
    if (left < 0) throw tooLarge('The copies in the patch more than double what it works on', -left);
  };
}

function memoriesOf(operations: readonly PatchOperation[]): string[] {
  return [...new Set(operations.flatMap((operation) => targetsOf(operation).map((pointer) => parsePointer(pointer, pointer)[1]!)))];
}

function applyOne(draft: MemoryDocument, operation: PatchOperation, guard: { where: string; growth: (copied: unknown) => void }): void {
  const primitive = (op: PatchOperation): void => {
    const where = `${guard.where}/path`;
    checkPointer(draft, parsePointer(op.path, where), { where, adds: op.op === 'add' });
    jsonpatch.applyOperation(draft, op as Operation);
  };
  switch (operation.op) {
    case 'add':
    case 'remove':
    case 'replace':
      primitive(operation);
      return;
    case 'move':
    case 'copy': {
      const from = parsePointer(operation.from, guard.where);
      checkPointer(draft, from, { where: `${guard.where}/from`, adds: false });
      let value = valueAt(draft, from);
      if (operation.op === 'move') primitive({ op: 'remove', path: operation.from });
      else {
        guard.growth(value);
        value = copied(value);
      }
      primitive({ op: 'add', path: operation.path, value });
      return;
    }
    case 'test': {
      const where = `${guard.where}/path`;
      const tokens = parsePointer(operation.path, where);
      if (Array.isArray(valueAt(draft, tokens.slice(0, -1)))) checkPointer(draft, tokens, { where, adds: false });
      const actual = valueAt(draft, tokens);
      if (actual !== undefined && equalJson(actual, operation.value)) return;
      throw new DreamfoldError('precondition_failed', `The test at ${where} does not hold`, {
        path: where,
        value: operation.path.slice(0, 120),
        remedy: 'Read the document again and make the patch for what it holds now.',
      });
    }
  }
}

/** The written units hold every difference, and none is within another: so their order does not matter. */
function inverseOf(base: MemoryDocument, result: MemoryDocument, writes: readonly string[]): PatchOperation[] {
  const inverse: PatchOperation[] = [];
  for (const path of writes) {
    const tokens = parsePointer(path, path);
    const before = valueAt(base, tokens);
    const after = valueAt(result, tokens);
    if (before === undefined && after === undefined) continue;
    if (before === undefined) inverse.push({ op: 'remove', path });
    else if (after === undefined) inverse.push({ op: 'add', path, value: before });
    else if (!equalJson(before, after)) inverse.push({ op: 'replace', path, value: before });
  }
  return inverse;
}
