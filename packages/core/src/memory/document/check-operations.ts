import { DreamfoldError, PatchOperation, checkJson } from '@dreamfold/events';
import { z } from 'zod';
import { utf8Bytes } from './canonical-json.ts';
import { parsePointer } from './json-pointer.ts';

export const MAX_OPERATIONS = 50;
/** Of operations and inverse together; an event has 256 KiB, and carries reason and evidence too. */
export const MAX_PATCH_BYTES = 240 * 1024;

const Json = z.json();
const NEEDS = { add: 'value', replace: 'value', test: 'value', move: 'from', copy: 'from', remove: 'path' } as const;
const FORBIDDEN_TOKENS = new Set(['__proto__', 'constructor', 'prototype']);

function invalid(message: string, path: string, value?: unknown): DreamfoldError {
  return new DreamfoldError('invalid_patch', message, {
    path,
    value,
    remedy: 'Send an array of RFC 6902 operations: add, remove, replace, move, copy or test.',
  });
}

/** The error patch_too_large. @param value bytes, or whatever there is too much of */
export function tooLarge(message: string, value: number): DreamfoldError {
  return new DreamfoldError('patch_too_large', message, { path: '/', value, remedy: 'Split the change into several patches.' });
}

/** What has been checked here, and its bytes. Nobody else changes it. */
const checked = new WeakMap<object, number>();

/** Bytes of operations as JSON. */
export function operationBytes(operations: readonly PatchOperation[]): number {
  return checked.get(operations) ?? utf8Bytes(JSON.stringify(operations));
}

/**
 * Checks the form of a patch from outside, before any of it touches a document.
 * @returns the same operations, as plain JSON of their own; what it has returned before is given back as it is
 * @throws DreamfoldError invalid_patch, forbidden_path, forbidden_key, patch_too_large, json_too_deep,
 * json_too_many_keys, invalid_text
 */
export function checkOperations(operations: unknown): PatchOperation[] {
  if (checked.has(operations as object)) return operations as PatchOperation[];
  if (!Array.isArray(operations) || operations.length === 0) throw invalid('A patch is a non-empty array of operations', '/');
  if (operations.length > MAX_OPERATIONS) {
    throw tooLarge(`The patch has ${operations.length} operations; the limit is ${MAX_OPERATIONS}`, operations.length);
  }
  checkJson(operations, '');
  const text = JSON.stringify(operations.map(checkOperation));
  const bytes = utf8Bytes(text);
  if (bytes > MAX_PATCH_BYTES) throw tooLarge(`The patch has ${bytes} bytes; the limit is ${MAX_PATCH_BYTES}`, bytes);
  const own = JSON.parse(text) as PatchOperation[];
  checked.set(own, bytes);
  return own;
}

function checkOperation(operation: unknown, index: number): PatchOperation {
  const at = `/${index}`;
  if (typeof operation !== 'object' || operation === null) throw invalid(`Operation ${index} is not an object`, at);
  const { op } = operation as { op?: unknown };
  if (typeof op !== 'string' || !Object.hasOwn(NEEDS, op)) throw invalid(`Operation ${index} has an unknown op`, `${at}/op`, op);
  const need = NEEDS[op as keyof typeof NEEDS];
  if (!Object.hasOwn(operation, need)) throw invalid(`Operation ${index} (${op}) has no ${need}`, `${at}/${need}`);
  const parsed = PatchOperation.safeParse(operation);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw invalid(`Operation ${index} (${op}): ${issue.message}`, `${at}/${issue.path.join('/')}`);
  }
  if ('value' in parsed.data && !Json.safeParse(parsed.data.value).success) {
    throw invalid(`The value of operation ${index} (${op}) is not JSON`, `${at}/value`);
  }
  checkTarget(parsed.data.path, `${at}/path`);
  if ('from' in parsed.data) checkTarget(parsed.data.from, `${at}/from`);
  if (parsed.data.op === 'move' && parsed.data.path.startsWith(`${parsed.data.from}/`)) {
    throw invalid(`Operation ${index} moves a value into itself`, `${at}/path`, parsed.data.path.slice(0, 120));
  }
  return parsed.data;
}

/** A patch may name what is within one memory, and nothing above. */
function checkTarget(pointer: string, where: string): void {
  const tokens = parsePointer(pointer, where);
  if (tokens[0] !== 'memories' || tokens.length < 2) {
    throw new DreamfoldError('forbidden_path', `${where} is outside the memories`, {
      path: where,
      value: pointer.slice(0, 120),
      remedy: 'Point at a memory or into one: /memories/~1notes.md, /memories/~1notes.md/content.',
    });
  }
  const key = tokens.find((token) => FORBIDDEN_TOKENS.has(token));
  if (key === undefined) return;
  throw new DreamfoldError('forbidden_key', `${where} names ${JSON.stringify(key)}`, {
    path: where,
    value: key,
    remedy: 'Use another name: this one would reach the prototype of an object.',
  });
}
