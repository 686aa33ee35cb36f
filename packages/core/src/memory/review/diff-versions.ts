import type { PatchOperation } from '@dreamfold/events';
import { diffArrays } from 'diff/lib/diff/array.js';
import { FILE_HEADERS_ONLY, createTwoFilesPatch } from 'diff/lib/patch/create.js';
import type { MemoryDocument } from '../document/document.ts';
import { patchTowards } from '../document/patch-towards.ts';
import { renderMemory } from '../prompt/render.ts';
import type { MemoryState } from './state.ts';
import { documentAtPoint } from './versions.ts';

/** Finding the shortest difference takes the square of its length: past this many changed lines, all count as changed. */
const MAX_EDITS = 1000;
const CONTEXT_LINES = 3;

export interface VersionDiff {
  from: number;
  to: number;
  /** RFC 6902: makes the document of version `from` that of version `to`. */
  operations: PatchOperation[];
  /** Unified diff of the Markdown of each memory that differs; '' when they read the same. */
  text: string;
}

/** What differs between two versions, in either direction. @throws DreamfoldError not_found for a version that there is not */
export function diffVersions(state: MemoryState, from: number, to: number): VersionDiff {
  const before = documentAtPoint(state, { version: from }).document;
  const after = documentAtPoint(state, { version: to }).document;
  const operations = patchTowards(before, after);
  return { from, to, operations, text: unifiedDiff(before, after) };
}

/** Which lines stayed: for each line of `after`, its index in `before`, or null for a new one. */
export function keptLines(before: readonly string[], after: readonly string[]): (number | null)[] {
  const changes = diffArrays([...before], [...after], { maxEditLength: MAX_EDITS });
  if (changes === undefined) return after.map(() => null);
  const kept: (number | null)[] = [];
  let old = 0;
  for (const { added, removed, value } of changes) {
    if (removed) old += value.length;
    else for (let i = 0; i < value.length; i += 1) kept.push(added ? null : old++);
  }
  return kept;
}

function unifiedDiff(before: MemoryDocument, after: MemoryDocument): string {
  const paths = [...new Set([...Object.keys(before.memories), ...Object.keys(after.memories)])].sort();
  return paths
    .filter((path) => before.memories[path] !== after.memories[path])
    .map((path) => {
      const [a, b] = [markdownOf(before, path), markdownOf(after, path)];
      if (a === b) return '';
      const [from, to] = [a === '' ? '/dev/null' : `a${path}`, b === '' ? '/dev/null' : `b${path}`];
      const options = { context: CONTEXT_LINES, headerOptions: FILE_HEADERS_ONLY };
      const exact = { ...options, maxEditLength: MAX_EDITS };
      return createTwoFilesPatch(from, to, a, b, undefined, undefined, exact) ?? rewritten({ from, to }, a, b);
    })
    .join('');
}

/** The same form, for two texts that have too little in common: all of one, then all of the other. */
function rewritten({ from, to }: { from: string; to: string }, a: string, b: string): string {
  const lines = (text: string): string[] => text.split('\n').slice(0, -1);
  const [gone, come] = [lines(a), lines(b)];
  const head = [
    `--- ${from}`,
    `+++ ${to}`,
    `@@ -${gone.length === 0 ? 0 : 1},${gone.length} +${come.length === 0 ? 0 : 1},${come.length} @@`,
  ];
  return `${[...head, ...gone.map((line) => `-${line}`), ...come.map((line) => `+${line}`)].join('\n')}\n`;
}

function markdownOf(document: MemoryDocument, path: string): string {
  if (!Object.hasOwn(document.memories, path)) return '';
  return renderMemory({ memories: { [path]: document.memories[path]! } });
}
