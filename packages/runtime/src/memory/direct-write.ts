import { DreamfoldError, idFrom, type PatchProposed } from '@dreamfold/events';
import { applyOperations, canonicalJson, escapeToken, writeMemory, type MemoryState, type ProposePatch } from '@dreamfold/core';
import { checkWrite, type Constitution } from '@dreamfold/dreaming';
import { sha256 } from '../digest.ts';
import type { Step } from './memory-changes.ts';

/** What a direct change is held against, besides its form. */
export interface WriteOptions {
  /** What the operator allows in no memory. */
  constitution?: Constitution;
}

export interface NoteWrite extends WriteOptions {
  path: string;
  content: string;
  reason: string;
  by: string;
  /** Refused when the store has another version by then. Left out: the note is written whatever else has changed. */
  expectedVersion?: number;
}

/** A direct change whose form is checked against the document that it meets. */
export function directWrite(patch: ProposePatch, constitution: Constitution = []): Step {
  return (state) => {
    const events = writeMemory(state, patch, { sha256 });
    const [first] = events;
    if (first === undefined) return events;
    const { operations } = first.data as PatchProposed;
    const { document: after } = applyOperations(state.document, operations);
    checkWrite({ operations, before: state.document, after, reason: patch.reason, constitution });
    return events;
  };
}

/** What writes a note into a store as it stands; null when it says so already. */
export function notePatch(
  store: string,
  state: MemoryState,
  { path, content, reason, by, expectedVersion }: NoteWrite,
): ProposePatch | null {
  if (expectedVersion !== undefined && expectedVersion !== state.version) {
    throw new DreamfoldError('precondition_failed', `The store is at version ${state.version}, not ${expectedVersion}`, {
      path: 'expectedVersion',
      value: expectedVersion,
      remedy: 'Read what it holds now, and write again.',
    });
  }
  const before = Object.hasOwn(state.document.memories, path) ? state.document.memories[path]! : null;
  if (before?.kind === 'playbook') {
    throw new DreamfoldError('path_conflict', `${path} is a playbook, whose insights come from dreams`, {
      path,
      remedy: 'Write the note at another path.',
    });
  }
  if (before?.content === content) return null;
  const pointer = `/memories/${escapeToken(path)}`;
  const operations =
    before === null
      ? [{ op: 'add', path: pointer, value: { kind: 'note', content } }]
      : [{ op: 'replace', path: `${pointer}/content`, value: content }];
  return { patchId: idFrom('patch', sha256(canonicalJson([store, state.version, operations]))), operations, reason, author: by };
}
