import { DreamfoldError } from '@dreamfold/events';
import type { MemoryDocument } from '../document/document.ts';
import { documentAt, patchOf, versionAt, type MemoryState, type MemoryVersion, type PatchStatus } from './state.ts';

/** A version, with what is known of the patch that made it or was taken back by it. */
export interface VersionEntry extends MemoryVersion {
  /** Who proposed the patch. */
  readonly author: string;
  /** The dream that found it; null for any other author. */
  readonly dreamId: string | null;
  readonly approver: string;
  /** What the approver said about it, or ''. */
  readonly note: string;
  readonly evidence: readonly string[];
  /** Where the patch stands now: `rolled_back` also at the version that applied it. */
  readonly status: PatchStatus;
}

/** Every version of a store, oldest first. Version 0, the empty document, stands in no list. */
export function versionsOf(state: MemoryState): VersionEntry[] {
  return state.history.map((made) => {
    const { proposal, decision, status } = patchOf(state, made.patchId)!;
    return {
      ...made,
      author: proposal.author,
      dreamId: proposal.dream_id ?? null,
      approver: decision!.by,
      note: decision!.reason,
      evidence: proposal.evidence,
      status,
    };
  });
}

/** A point in a store's history: a version, or the newest version at a time. */
export type MemoryPoint = { version: number } | { timeMs: number };

/**
 * The document at a point in time.
 * @throws DreamfoldError not_found for a version that there is not
 */
export function documentAtPoint(state: MemoryState, point: MemoryPoint): { version: number; document: MemoryDocument } {
  const version = 'version' in point ? point.version : versionAt(state, point.timeMs);
  const document = documentAt(state, version);
  if (document !== null) return { version, document };
  throw new DreamfoldError('not_found', `There is no version ${version}; the newest is ${state.version}`, {
    path: 'version',
    value: version,
    remedy: `Name a version from 0, the empty document, to ${state.version}.`,
  });
}
