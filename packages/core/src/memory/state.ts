import {
  knownEvent,
  type EventData,
  type EventType,
  type GateVerdict,
  type LogEvent,
  type PatchOperation,
  type PatchProposed,
  type StoreCreated,
} from '@dreamfold/events';
import { EMPTY_DOCUMENT, EMPTY_DOCUMENT_HASH, type MemoryDocument } from './document.ts';
import { applyOperations, runOperations, type PatchResult } from './patch.ts';

export type PatchStatus = 'proposed' | 'validated' | 'approved' | 'rejected' | 'applied' | 'rolled_back';

export interface PatchRecord {
  readonly proposal: PatchProposed;
  readonly status: PatchStatus;
  readonly gates: readonly GateVerdict[];
  /** Who approved or rejected it, and why. */
  readonly decision: { readonly by: string; readonly reason: string } | null;
  /** What takes the patch back, found when it was applied; null before that. */
  readonly undo: readonly PatchOperation[] | null;
}

/** One change of the document. Version 0 is the empty document and stands in no list. */
export interface MemoryVersion {
  readonly version: number;
  readonly hash: string;
  readonly patchId: string;
  readonly change: 'applied' | 'rolled_back';
}

/** A memory store, folded from its stream. */
export interface MemoryState {
  /** null until the store is created. */
  readonly store: StoreCreated | null;
  readonly document: MemoryDocument;
  readonly version: number;
  readonly hash: string;
  /** In the order in which they were proposed. */
  readonly patches: { readonly [patchId: string]: PatchRecord };
  /** Oldest first; entry `i` made version `i + 1`. */
  readonly history: readonly MemoryVersion[];
}

export const initialMemory: MemoryState = {
  store: null,
  document: EMPTY_DOCUMENT,
  version: 0,
  hash: EMPTY_DOCUMENT_HASH,
  patches: {},
  history: [],
};

/** What each status may become. */
const NEXT: Readonly<Record<PatchStatus, readonly PatchStatus[]>> = {
  proposed: ['validated', 'rejected'],
  validated: ['approved', 'rejected'],
  approved: ['applied'],
  rejected: [],
  applied: ['rolled_back'],
  rolled_back: [],
};

type Fold = { readonly [T in EventType]?: (state: MemoryState, data: EventData[T]) => MemoryState };

const FOLD: Fold = {
  'memory.store_created': (state, store) => (state.store === null ? { ...state, store } : state),
  'memory.patch_proposed': (state, proposal) =>
    state.store === null || patchOf(state, proposal.patch_id) !== undefined
      ? state
      : withPatch(state, { proposal, status: 'proposed', gates: [], decision: null, undo: null }),
  'memory.patch_validated': (state, { patch_id: id, gates }) => moved(state, { id, to: 'validated' }, { gates }),
  'memory.patch_approved': (state, { patch_id: id, by, note }) =>
    moved(state, { id, to: 'approved' }, { decision: { by, reason: note ?? '' } }),
  'memory.patch_rejected': (state, { patch_id: id, by, reason }) => moved(state, { id, to: 'rejected' }, { decision: { by, reason } }),
  'memory.patch_applied': (state, data) => changed(state, { id: data.patch_id, to: 'applied' }, data),
  'memory.patch_rolled_back': (state, data) => changed(state, { id: data.patch_id, to: 'rolled_back' }, data),
};

/** Folds one event of a store's stream. An event that makes no sense where it stands changes nothing. */
export function evolveMemory(state: MemoryState, logged: LogEvent): MemoryState {
  const event = knownEvent(logged);
  if (event === null || event.data === null) return state;
  const fold = FOLD[event.type] as ((state: MemoryState, data: unknown) => MemoryState) | undefined;
  return fold === undefined ? state : fold(state, event.data);
}

interface Step<S extends PatchStatus = PatchStatus> {
  id: string;
  to: S;
}

function withPatch(state: MemoryState, record: PatchRecord): MemoryState {
  return { ...state, patches: { ...state.patches, [record.proposal.patch_id]: record } };
}

function moved(state: MemoryState, step: Step, fields: Partial<PatchRecord>): MemoryState {
  const record = patchOf(state, step.id);
  if (record === undefined || !NEXT[record.status].includes(step.to)) return state;
  return withPatch(state, { ...record, ...fields, status: step.to });
}

function changed(state: MemoryState, step: Step<MemoryVersion['change']>, made: { version: number; hash: string }): MemoryState {
  const record = patchOf(state, step.id);
  if (record === undefined || made.version !== state.version + 1) return state;
  const result = resultOf(state.document, record, step.to);
  if (result === null) return state;
  const next = moved(state, step, step.to === 'applied' ? { undo: result.inverse } : {});
  if (next === state) return state;
  const entry: MemoryVersion = { version: made.version, hash: made.hash, patchId: step.id, change: step.to };
  return { ...next, document: result.document, version: entry.version, hash: entry.hash, history: [...state.history, entry] };
}

/** null when the patch does not fit, which only an event written elsewhere can bring about. */
function resultOf(document: MemoryDocument, record: PatchRecord, change: MemoryVersion['change']): PatchResult | null {
  try {
    return change === 'applied' ? applyOperations(document, record.proposal.operations) : runOperations(document, record.undo ?? []);
  } catch {
    return null;
  }
}

/** A patch by its id. */
export function patchOf(state: MemoryState, patchId: string): PatchRecord | undefined {
  return Object.hasOwn(state.patches, patchId) ? state.patches[patchId] : undefined;
}

/**
 * The document as it stood at a version: what a session that pinned it sees, whatever happened since.
 * @returns null for a version that is not reached yet
 */
export function documentAt(state: MemoryState, version: number): MemoryDocument | null {
  if (version === state.version) return state.document;
  if (!Number.isInteger(version) || version < 0 || version > state.version) return null;
  let document: MemoryDocument = EMPTY_DOCUMENT;
  for (const { patchId, change } of state.history.slice(0, version)) {
    document = resultOf(document, patchOf(state, patchId)!, change)!.document;
  }
  return document;
}
