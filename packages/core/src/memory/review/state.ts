import {
  CATALOGUE,
  foldKnown,
  knownEvent,
  type GateVerdict,
  type KnownEvent,
  type LogEvent,
  type PatchOperation,
  type PatchProposed,
  type StoreCreated,
} from '@dreamfold/events';
import { equalJson } from '../document/canonical-json.ts';
import { EMPTY_DOCUMENT, EMPTY_DOCUMENT_HASH, type MemoryDocument, type Playbook } from '../document/document.ts';
import { applyOperations, runOperations, touchedParts, type PatchResult } from '../document/patch.ts';
import { PersistentMap } from '../document/persistent-map.ts';

/** A document is kept every so many versions; those between are reached from there. */
const SNAPSHOT_EVERY = 64;

export type PatchStatus = 'proposed' | 'validated' | 'approved' | 'rejected' | 'applied' | 'rolled_back';

/** True while somebody has to decide on the patch. */
export function isUndecided(status: PatchStatus): boolean {
  return status === 'proposed' || status === 'validated';
}

/** Whether a patch of one status may come to another. */
export function mayBecome(from: PatchStatus, to: PatchStatus): boolean {
  return NEXT[from].includes(to);
}

export interface PatchRecord {
  readonly proposal: PatchProposed;
  readonly status: PatchStatus;
  readonly gates: readonly GateVerdict[];
  /** Who approved or rejected it, and why. */
  readonly decision: { readonly by: string; readonly reason: string } | null;
  /** When it was proposed, in milliseconds since 1970. */
  readonly time: number;
  /** What takes the patch back, found when it was applied; null before that. */
  readonly undo: readonly PatchOperation[] | null;
}

/** One change of the document. Version 0 is the empty document and stands in no list. */
export interface MemoryVersion {
  readonly version: number;
  readonly hash: string;
  readonly patchId: string;
  readonly change: 'applied' | 'rolled_back';
  /** Milliseconds since 1970, from the log. Informative: order is the version. */
  readonly time: number;
  /** Who applied it or rolled it back. */
  readonly by: string;
  /** Why: the patch's reason, or the rollback's. */
  readonly reason: string;
}

/** Principals whose sessions followed an insight as it was written last, and how that came out. */
export interface InsightCounts {
  readonly helpful: number;
  readonly harmful: number;
}

/** A memory store, folded from its stream. */
export interface MemoryState {
  /** null until the store is created. */
  readonly store: StoreCreated | null;
  readonly document: MemoryDocument;
  readonly version: number;
  readonly hash: string;
  /** In the order in which they were proposed. */
  readonly patches: PersistentMap<PatchRecord>;
  /** Oldest first; entry `i` made version `i + 1`. */
  readonly history: readonly MemoryVersion[];
  /** Entry `i` is the document at version 64 · i. */
  readonly snapshots: readonly MemoryDocument[];
  /** By insight id; what was never counted is not in it. */
  readonly counts: ReadonlyMap<string, InsightCounts>;
  /** The dream that counted last. */
  readonly countedBy: string | null;
  /** The version at which each insight was written last, by its id. What was counted before is of another wording. */
  readonly written: PersistentMap<number>;
}

export const initialMemory: MemoryState = {
  store: null,
  document: EMPTY_DOCUMENT,
  version: 0,
  hash: EMPTY_DOCUMENT_HASH,
  patches: PersistentMap.empty(),
  history: [],
  snapshots: [EMPTY_DOCUMENT],
  counts: new Map(),
  countedBy: null,
  written: PersistentMap.empty(),
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

const foldSound = foldKnown<MemoryState>({
  'memory.store_created': (state, { data: store }) => (state.store === null ? { ...state, store } : state),
  'memory.patch_proposed': (state, { data: proposal, time }) =>
    state.store === null || patchOf(state, proposal.patch_id) !== undefined
      ? state
      : withPatch(state, { proposal, status: 'proposed', gates: [], decision: null, time, undo: null }),
  'memory.patch_validated': (state, { data: { patch_id: id, gates } }) => moved(state, { id, to: 'validated' }, { gates }),
  'memory.patch_approved': (state, { data: { patch_id: id, by, note } }) =>
    moved(state, { id, to: 'approved' }, { decision: { by, reason: note ?? '' } }),
  'memory.patch_rejected': (state, { data: { patch_id: id, by, reason } }) =>
    moved(state, { id, to: 'rejected' }, { decision: { by, reason } }),
  'memory.patch_applied': (state, { data: { patch_id: id, version, hash }, time, actor }) => {
    const reason = patchOf(state, id)?.proposal.reason ?? '';
    return changed(state, { patchId: id, change: 'applied', version, hash, time, by: actor, reason });
  },
  'memory.patch_rolled_back': (state, { data: { patch_id: id, version, hash, by, reason }, time }) =>
    changed(state, { patchId: id, change: 'rolled_back', version, hash, time, by, reason }),
  'memory.insights_counted': (state, { data: { dream_id: countedBy, counts } }) => {
    const sums = new Map(state.counts);
    for (const { insight_id: id, helpful, harmful } of counts) {
      const before = sums.get(id) ?? { helpful: 0, harmful: 0 };
      sums.set(id, { helpful: before.helpful + helpful, harmful: before.harmful + harmful });
    }
    return { ...state, counts: sums, countedBy };
  },
});

/**
 * Folds one event of a store's stream. An event that makes no sense where it stands, or whose payload is none of its
 * type, changes nothing: the same everywhere.
 */
export function evolveMemory(state: MemoryState, logged: LogEvent): MemoryState {
  const event = knownEvent(logged);
  if (event === null || event.data === null) return state;
  return CATALOGUE[event.type].safeParse(event.data).success ? foldSound(state, event) : state;
}

/** The same for an event that was made here and is not on the log yet: the log checks its payload before it takes it. */
export function evolveDraft(state: MemoryState, drafted: LogEvent): MemoryState {
  return foldSound(state, drafted as KnownEvent);
}

function withPatch(state: MemoryState, record: PatchRecord): MemoryState {
  return { ...state, patches: state.patches.set(record.proposal.patch_id, record) };
}

function moved(state: MemoryState, step: { id: string; to: PatchStatus }, fields: Partial<PatchRecord>): MemoryState {
  const record = patchOf(state, step.id);
  if (record === undefined || !mayBecome(record.status, step.to)) return state;
  return withPatch(state, { ...record, ...fields, status: step.to });
}

function changed(state: MemoryState, made: MemoryVersion): MemoryState {
  const { patchId, change, version, hash } = made;
  const record = patchOf(state, patchId);
  if (record === undefined || version !== state.version + 1 || !mayBecome(record.status, change)) return state;
  const result = resultOf(state.document, record, change);
  if (result === null) return state;
  const { document } = result;
  const next = moved(state, { id: patchId, to: change }, change === 'applied' ? { undo: result.inverse } : {});
  const snapshots = version % SNAPSHOT_EVERY === 0 ? [...state.snapshots, document] : state.snapshots;
  const operations = change === 'applied' ? record.proposal.operations : (record.undo ?? []);
  return {
    ...next,
    ...rewritten(state, operations, { version, document }),
    document,
    version,
    hash,
    history: [...state.history, made],
    snapshots,
  };
}

/** Counting starts anew for each insight that is written, by itself or with the page that it stands on. */
function rewritten(
  { counts: before, written: writtenBefore, document: old }: MemoryState,
  operations: readonly PatchOperation[],
  { version, document }: { version: number; document: MemoryDocument },
): Pick<MemoryState, 'counts' | 'written'> {
  let [counts, written] = [before, writtenBefore];
  for (const { path, insight } of touchedParts(operations)) {
    const now = insightsOf(document, path);
    const then = insightsOf(old, path);
    for (const id of insight === null ? Object.keys(now) : Object.hasOwn(now, insight) ? [insight] : []) {
      const same = Object.hasOwn(then, id) && (then[id] === now[id] || equalJson(then[id], now[id]));
      if (same && written.get(id) !== undefined) continue;
      written = written.set(id, version);
      if (counts.has(id)) counts = new Map([...counts].filter(([other]) => other !== id));
    }
  }
  return { counts, written };
}

function insightsOf({ memories }: MemoryDocument, path: string): Playbook['insights'] {
  const memory = Object.hasOwn(memories, path) ? memories[path] : undefined;
  return memory?.kind === 'playbook' ? memory.insights : {};
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
  return state.patches.get(patchId);
}

/**
 * The document as it stood at a version: what a session that pinned it sees, whatever happened since.
 * @returns null for a version that is not reached yet
 */
export function documentAt(state: MemoryState, version: number): MemoryDocument | null {
  if (version === state.version) return state.document;
  if (!Number.isInteger(version) || version < 0 || version > state.version) return null;
  const nearest = Math.floor(version / SNAPSHOT_EVERY);
  let document = state.snapshots[nearest]!;
  for (const step of replayVersions(state, { from: nearest * SNAPSHOT_EVERY, to: version })) document = step.document;
  return document;
}

/** Each version after `from` up to `to`, with the document before it and after it. @param range.from a multiple of 64 */
export function* replayVersions(
  state: MemoryState,
  { from, to }: { from: number; to: number },
): Generator<{ made: MemoryVersion; before: MemoryDocument; document: MemoryDocument }, void, undefined> {
  let before = state.snapshots[from / SNAPSHOT_EVERY]!;
  for (const made of state.history.slice(from, to)) {
    const { document } = resultOf(before, patchOf(state, made.patchId)!, made.change)!;
    yield { made, before, document };
    before = document;
  }
}

/** The newest version that was made at a time or before it: 0 when none was. @param timeMs since 1970 */
export function versionAt(state: MemoryState, timeMs: number): number {
  return state.history.findLastIndex(({ time }) => time <= timeMs) + 1;
}
