import { foldKnown, CATALOGUE, knownEvent, type LogEvent, type PatchOperation } from '@dreamfold/events';
import { isUndecided, mayBecome, type PatchStatus } from '@dreamfold/core';

/** A memory store in a list. */
export interface StoreRow {
  id: string;
  name: string;
  description: string;
  approval: 'manual' | 'auto' | null;
  version: number;
  /** How many notes and playbooks it holds. */
  memories: number;
  /** How many patches wait for a person. */
  waiting: number;
}

/** A memory that a patch adds or removes, by its place in the document. */
type Change = readonly [change: 'add' | 'remove', place: string];

/** What a list has to keep of a store: plain JSON, without what the memories say. */
export interface StoreRowState {
  id: string;
  name: string | null;
  description: string;
  approval: 'manual' | 'auto' | null;
  version: number;
  /** The places of its memories. */
  places: readonly string[];
  /** Patches under way, by their id, with the memories that they add and remove; and applied ones, with what takes those changes back. */
  patches: Readonly<Record<string, { status: PatchStatus; changes: readonly Change[] }>>;
}

/** The state before the first event. */
export function initialStoreRow(id: string): StoreRowState {
  return { id, name: null, description: '', approval: null, version: 0, places: [], patches: {} };
}

const MEMORY = /^\/memories\/[^/]+$/;

/** Which memories come and go with a patch. What it changes within one does neither. */
function changesOf(operations: readonly PatchOperation[]): Change[] {
  return operations.flatMap((operation): Change[] => {
    const { op, path } = operation;
    if (op === 'test' || op === 'replace') return [];
    if (op === 'remove') return MEMORY.test(path) ? [['remove', path]] : [];
    const left = op === 'move' && MEMORY.test(operation.from) ? [['remove', operation.from] as const] : [];
    return MEMORY.test(path) ? [...left, ['add', path]] : left;
  });
}

const fold = foldKnown<StoreRowState>({
  'memory.store_created': (state, { data }) =>
    state.name === null ? { ...state, name: data.name, description: data.description, approval: data.approval } : state,
  'memory.patch_proposed': (state, { data }) =>
    state.name === null || Object.hasOwn(state.patches, data.patch_id)
      ? state
      : { ...state, patches: { ...state.patches, [data.patch_id]: { status: 'proposed', changes: changesOf(data.operations) } } },
  'memory.patch_validated': (state, { data }) => moved(state, data.patch_id, 'validated'),
  'memory.patch_approved': (state, { data }) => moved(state, data.patch_id, 'approved'),
  'memory.patch_rejected': (state, { data }) => without(state, data.patch_id, 'rejected'),
  'memory.patch_applied': (state, { data: { patch_id: id, version } }) => {
    const patch = state.patches[id];
    if (version !== state.version + 1 || patch === undefined || !mayBecome(patch.status, 'applied')) return state;
    const { places, undone } = applied(state.places, patch.changes);
    const { [id]: _, ...others } = state.patches;
    return {
      ...state,
      version,
      places,
      patches: undone.length === 0 ? others : { ...others, [id]: { status: 'applied', changes: undone } },
    };
  },
  'memory.patch_rolled_back': (state, { data: { patch_id: id, version } }) => {
    const patch = state.patches[id];
    if (version !== state.version + 1 || (patch !== undefined && !mayBecome(patch.status, 'rolled_back'))) return state;
    const { places } = applied(state.places, patch?.changes ?? []);
    return { ...without(state, id, 'rolled_back'), version, places };
  },
});

function moved(state: StoreRowState, id: string, to: PatchStatus): StoreRowState {
  const patch = state.patches[id];
  if (patch === undefined || !mayBecome(patch.status, to)) return state;
  return { ...state, patches: { ...state.patches, [id]: { ...patch, status: to } } };
}

/** What has come to its end changes no more. */
function without(state: StoreRowState, id: string, end: PatchStatus): StoreRowState {
  const patch = state.patches[id];
  if (patch === undefined || !mayBecome(patch.status, end)) return state;
  const { [id]: _, ...patches } = state.patches;
  return { ...state, patches };
}

function applied(before: readonly string[], changes: readonly Change[]): { places: string[]; undone: Change[] } {
  const places = new Set(before);
  const undone: Change[] = [];
  for (const [change, place] of changes) {
    if (places.has(place) === (change === 'add')) continue;
    if (change === 'add') places.add(place);
    else places.delete(place);
    undone.unshift([change === 'add' ? 'remove' : 'add', place]);
  }
  return { places: [...places], undone };
}

/** The row after one more event of the store. Whether a patch fits the document is the whole fold's to say. */
export function evolveStoreRow(state: StoreRowState, event: LogEvent): StoreRowState {
  const known = knownEvent(event);
  if (known === null || known.data === null || !CATALOGUE[known.type].safeParse(known.data).success) return state;
  return fold(state, known);
}

export function storeRowOf(state: StoreRowState): StoreRow {
  const waiting = Object.values(state.patches).filter(({ status }) => isUndecided(status)).length;
  const { id, name, description, approval, version, places } = state;
  return { id, name: name ?? '', description, approval, version, memories: places.length, waiting };
}
