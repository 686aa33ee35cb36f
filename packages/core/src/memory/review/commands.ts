import {
  characterCount,
  DreamfoldError,
  hasAtMost,
  MAX_LABELLER_CHARS,
  StoreCreated,
  canonicalName,
  checkName,
  type GateVerdict,
  type NewEvent,
  type PatchProposed,
  newEvent,
} from '@dreamfold/events';
import { canonicalJson, type Sha256 } from '../document/canonical-json.ts';
import { checkOperations } from '../document/check-operations.ts';
import { EMPTY_DOCUMENT_HASH, documentHash } from '../document/document.ts';
import { applyOperations, runOperations, touchedUnits, unitsOverlap, type PatchResult } from '../document/patch.ts';
import { isUndecided, patchOf, type MemoryState, type PatchRecord, type PatchStatus } from './state.ts';

/** Approves, in a store whose approval is `auto`, what has passed every gate. */
export const AUTO_APPROVER = 'policy:auto';

const PERSON = 'person:';
/** As many as the log takes of a reason. */
const MAX_REASON_CHARS = 4000;

/** What the handlers need from outside. */
export interface MemoryTools {
  sha256: Sha256;
}

export interface ProposePatch {
  /** Derived from the cause, so that a retry proposes once. */
  patchId: string;
  /** RFC 6902, from outside: checked here. */
  operations: unknown;
  reason: string;
  /** `person:NAME`, `dream:ID`, `system`, a thread. */
  author: string;
  /** Events that bear it out, as `stream#seq`. A dream's patch must have some. */
  evidence?: readonly string[];
  /** The hash that the author read; refused when the document has moved on. */
  baseHash?: string;
}

interface Decide {
  patchId: string;
  by: string;
}

type Events = NewEvent[];
/** @throws DreamfoldError invalid_argument; idempotency_conflict when there is a store already, made otherwise */
export function createStore(state: MemoryState, input: StoreCreated & { by: string }): Events {
  const { by, ...store } = input;
  checkActor(by);
  checkStore(store);
  if (state.store === null) return [newEvent('memory.store_created', by, store)];
  if (canonicalJson(state.store) === canonicalJson(store)) return [];
  const { store: there } = state;
  const fields = (['name', 'description', 'approval'] as const).filter((field) => there[field] !== store[field]);
  const differences = fields.map((field) => `its ${field} is ${JSON.stringify(there[field])}, not ${JSON.stringify(store[field])}`);
  throw new DreamfoldError('idempotency_conflict', `The store ${there.name} is there already, and ${differences.join(' and ')}`, {
    path: fields.join(', '),
    value: there,
    remedy: 'Use the store as it is, or create one of another name.',
  });
}

function checkStore(store: StoreCreated): void {
  const issue = StoreCreated.safeParse(store).error?.issues[0];
  // A name that begins like an id would be taken for one.
  const odd = store.name.startsWith('memstore_') || store.name.trim() === '' || /\p{C}/u.test(store.name);
  if (issue === undefined && !odd) return;
  const path = issue?.path.join('.') ?? 'name';
  const why = issue?.message ?? 'it is blank, holds a control character or begins with memstore_';
  throw new DreamfoldError('invalid_argument', `The store's ${path} can't be used: ${why}`, {
    path,
    value: store.name.slice(0, 100),
    remedy: 'Give a name such as support, and a description of at most 1,024 characters.',
  });
}

/**
 * Proposes a patch to the document as it stands.
 * @returns no event when the same patch has been proposed before
 * @throws DreamfoldError not_found (no store), precondition_failed, evidence_required, idempotency_conflict (the id
 * was used for another patch), and what applyOperations throws
 */
export function proposePatch(state: MemoryState, input: ProposePatch, tools: MemoryTools): Events {
  if (isRepeat(state, input)) return [];
  return [newEvent('memory.patch_proposed', input.author, proposalOf(state, input, tools).proposal)];
}

/** Records what the gates found. @throws DreamfoldError not_found, already_decided */
export function validatePatch(state: MemoryState, input: { patchId: string; gates: GateVerdict[]; by: string }): Events {
  needStatus(needPatch(state, input.patchId), ['proposed']);
  return [newEvent('memory.patch_validated', input.by, { patch_id: input.patchId, gates: input.gates })];
}

/**
 * Approves a patch that has passed every gate. Whoever proposed it can't, and no dream can approve anything.
 * @throws DreamfoldError not_found, already_decided, self_approval_forbidden, precondition_failed (a gate has not passed)
 */
export function approvePatch(state: MemoryState, input: Decide & { note?: string }): Events {
  const record = needPatch(state, input.patchId);
  needStatus(record, ['proposed', 'validated']);
  checkActor(input.by);
  needApprover(state, record, input.by);
  const failed = record.gates.find((gate) => !gate.pass);
  if (failed !== undefined) throw stopped(input.patchId, failed);
  if (record.status === 'proposed') {
    throw new DreamfoldError('precondition_failed', `The patch ${input.patchId} has not been validated`, {
      path: 'patch',
      value: record.status,
      remedy: 'Run the gates first.',
    });
  }
  const note = input.note === undefined ? {} : { note: input.note };
  return [newEvent('memory.patch_approved', input.by, { patch_id: input.patchId, by: input.by, ...note })];
}

/** @throws DreamfoldError not_found, already_decided */
export function rejectPatch(state: MemoryState, input: Decide & { reason: string }): Events {
  checkActor(input.by);
  needStatus(needPatch(state, input.patchId), ['proposed', 'validated']);
  return [newEvent('memory.patch_rejected', input.by, { patch_id: input.patchId, by: input.by, reason: input.reason })];
}

/**
 * Applies an approved patch. The document may have moved on since the patch was made, as long as nothing that the
 * patch touches has changed: so several proposals of one dream can be approved in any order.
 * @throws DreamfoldError not_found, not_approved, already_decided, precondition_failed, and what applyOperations throws
 */
export function applyPatch(state: MemoryState, input: Decide, tools: MemoryTools): Events {
  const record = needPatch(state, input.patchId);
  if (isUndecided(record.status) || record.status === 'rejected') {
    throw new DreamfoldError('not_approved', `The patch ${input.patchId} is ${record.status}, not approved`, {
      path: 'patch',
      value: input.patchId,
      remedy: record.status === 'rejected' ? 'Propose it again, with what was missing.' : 'Have somebody else approve it first.',
    });
  }
  needStatus(record, ['approved']);
  needUnmoved(state, record.proposal);
  const { document } = applyOperations(state.document, record.proposal.operations);
  const applied = { patch_id: input.patchId, version: state.version + 1, hash: documentHash(document, tools.sha256) };
  return [newEvent('memory.patch_applied', input.by, applied)];
}

/**
 * Takes an applied patch back. The newest change gives the earlier document byte for byte; an older one can go as long
 * as no later patch that is still in force touches the same insight or field.
 * @throws DreamfoldError not_found, already_decided (it is not in force), rollback_conflict
 */
export function rollbackPatch(state: MemoryState, input: Decide & { reason: string }, tools: MemoryTools): Events {
  checkActor(input.by);
  const record = needPatch(state, input.patchId);
  needStatus(record, ['applied']);
  const units = touchedUnits(record.proposal.operations);
  const since = state.history.slice(state.history.findLastIndex(({ patchId }) => patchId === input.patchId) + 1);
  const blocking = since.find(({ patchId, change }) => {
    const later = patchOf(state, patchId)!;
    return change === 'applied' && later.status === 'applied' && unitsOverlap(units, touchedUnits(later.proposal.operations));
  });
  const conflict = (why: string, value: unknown): DreamfoldError =>
    new DreamfoldError('rollback_conflict', `The patch ${input.patchId} can't be rolled back: ${why}`, {
      path: 'patch',
      value,
      remedy: 'Roll the later change back first, or write the document that you want.',
    });
  if (blocking !== undefined) throw conflict(`version ${blocking.version} changed the same place`, blocking.patchId);
  let result: PatchResult;
  try {
    result = runOperations(state.document, record.undo!);
  } catch (error) {
    throw conflict((error as Error).message, input.patchId);
  }
  const { by, reason } = input;
  const made = { version: state.version + 1, hash: documentHash(result.document, tools.sha256) };
  return [newEvent('memory.patch_rolled_back', by, { patch_id: input.patchId, ...made, by, reason })];
}

export interface EditPatch {
  /** The proposal that is edited. */
  former: string;
  /** Of what it becomes. */
  patchId: string;
  operations: unknown;
  /** Why what it says now is proposed: the reason of the former speaks of another text. */
  reason: string;
  /** The events that bear the former out, and those that bear out what is new. */
  evidence: readonly string[];
  gates: readonly GateVerdict[];
  /** Whose wording it is. */
  by: string;
  note?: string;
  /** Applies it at once, as a direct change by whoever edited it. */
  apply?: boolean;
}

/**
 * A person's wording in the place of a proposal that waits: proposed in that person's name, with a reason of its own. The
 * former is rejected; all in one append. It then waits for somebody else, unless it is to be applied as a direct change.
 * @returns no event when the same edit has been made before
 * @throws DreamfoldError what proposePatch throws; already_decided; self_approval_forbidden (a dream edits nothing);
 * precondition_failed (a gate stops it); text_too_long (the note)
 */
export function editPatch(state: MemoryState, input: EditPatch, tools: MemoryTools): Events {
  const { former, patchId, operations, reason, evidence, gates, by, note, apply = false } = input;
  const record = needPatch(state, former);
  const proposed = { patchId, operations, evidence, reason, author: by };
  if (isRepeat(state, proposed)) return [];
  needStatus(record, ['proposed', 'validated']);
  if (isDream(by)) throw selfApproval(by);
  const failed = gates.find((gate) => !gate.pass);
  if (failed !== undefined) throw stopped(patchId, failed);
  const { proposal, result } = proposalOf(state, proposed, tools);
  const why = note === undefined ? `Edited as ${patchId}.` : `Edited as ${patchId}: ${note}`;
  if (!hasAtMost(why, MAX_REASON_CHARS)) {
    throw new DreamfoldError('text_too_long', `The note has ${characterCount(note!)} characters, which is too many`, {
      path: 'note',
      remedy: `Give at most ${MAX_REASON_CHARS - (characterCount(why) - characterCount(note!))} characters.`,
    });
  }
  const events = [
    newEvent('memory.patch_proposed', by, { ...proposal, supersedes: former }),
    newEvent('memory.patch_validated', by, { patch_id: patchId, gates: [...gates] }),
    newEvent('memory.patch_rejected', by, { patch_id: former, by, reason: why }),
  ];
  return apply ? [...events, ...appliedBy(by, patchId, { state, result, tools })] : events;
}

/**
 * A direct change: proposed, approved by its own author and applied in one append. No dream can make one.
 * @returns no event when the same change has been made before
 * @throws DreamfoldError what proposePatch throws; self_approval_forbidden
 */
export function writeMemory(state: MemoryState, input: ProposePatch, tools: MemoryTools): Events {
  if (isRepeat(state, input)) return [];
  if (isDream(input.author)) throw selfApproval(input.author);
  const { proposal, result } = proposalOf(state, input, tools);
  return [
    newEvent('memory.patch_proposed', input.author, proposal),
    newEvent('memory.patch_validated', input.author, { patch_id: input.patchId, gates: [] }),
    ...appliedBy(input.author, input.patchId, { state, result, tools }),
  ];
}

/** The author's own approval of a direct change, and its effect. */
function appliedBy(by: string, patch_id: string, made: { state: MemoryState; result: PatchResult; tools: MemoryTools }): Events {
  const { state, result, tools } = made;
  const applied = { patch_id, version: state.version + 1, hash: documentHash(result.document, tools.sha256) };
  return [newEvent('memory.patch_approved', by, { patch_id, by }), newEvent('memory.patch_applied', by, applied)];
}

function proposalOf(state: MemoryState, input: ProposePatch, { sha256 }: MemoryTools): { proposal: PatchProposed; result: PatchResult } {
  if (state.store === null) throw notFound('store', 'memory store');
  checkActor(input.author);
  if (documentHash(state.document, sha256) !== state.hash) {
    throw new DreamfoldError('store_corrupt', 'The memory on the log does not have the hash that the log names', {
      path: 'document',
      value: state.hash,
      remedy: 'Run dreamfold verify; a payload of this store may be erased or damaged.',
    });
  }
  if (input.baseHash !== undefined && input.baseHash !== state.hash) throw moved(input.baseHash, state.hash);
  const evidence = [...(input.evidence ?? [])];
  if (isDream(input.author) && evidence.length === 0) {
    throw new DreamfoldError('evidence_required', 'A patch that a dream proposes must name the events that bear it out', {
      path: 'evidence',
      remedy: 'Name events as stream#seq.',
    });
  }
  const operations = checkOperations(input.operations);
  const result = applyOperations(state.document, operations);
  const dream = isDream(input.author) ? { dream_id: input.author.slice('dream:'.length) } : {};
  const { patchId: patch_id, reason, author } = input;
  return { proposal: { patch_id, base_hash: state.hash, operations, inverse: result.inverse, reason, evidence, author, ...dream }, result };
}

/** True when the same patch stands under this id already. */
function isRepeat(state: MemoryState, input: ProposePatch): boolean {
  const record = patchOf(state, input.patchId);
  if (record === undefined) return false;
  if (canonicalJson(record.proposal.operations) === canonicalJson(checkOperations(input.operations))) return true;
  throw new DreamfoldError('idempotency_conflict', `The patch id ${input.patchId} was used for another patch`, {
    path: 'patchId',
    value: input.patchId,
    remedy: 'Derive the id from what caused the patch.',
  });
}

/** The patch's base is the newest version with its hash; nothing it touches may have changed since. */
function needUnmoved(state: MemoryState, proposal: PatchProposed): void {
  if (proposal.base_hash === state.hash) return;
  const base = state.history.findLastIndex(({ hash }) => hash === proposal.base_hash) + 1;
  if (base === 0 && proposal.base_hash !== EMPTY_DOCUMENT_HASH) throw moved(proposal.base_hash, state.hash);
  const units = touchedUnits(proposal.operations);
  const touches = state.history
    .slice(base)
    .some(({ patchId }) => unitsOverlap(units, touchedUnits(patchOf(state, patchId)!.proposal.operations)));
  if (touches) throw moved(proposal.base_hash, state.hash);
}

function needPatch(state: MemoryState, patchId: string): PatchRecord {
  const record = patchOf(state, patchId);
  if (record === undefined) throw notFound(patchId, 'patch');
  return record;
}

function needStatus(record: PatchRecord, statuses: readonly PatchStatus[]): void {
  if (statuses.includes(record.status)) return;
  throw new DreamfoldError('already_decided', `The patch ${record.proposal.patch_id} is already ${record.status}`, {
    path: 'patch',
    value: record.status,
    remedy: 'Read the store again; propose a new patch if the change is still wanted.',
  });
}

function needApprover(state: MemoryState, record: PatchRecord, by: string): void {
  const isOwn = canonicalName(by) === canonicalName(record.proposal.author);
  if (isOwn || isDream(by) || (by === AUTO_APPROVER && state.store?.approval !== 'auto')) throw selfApproval(by);
}

function stopped(patchId: string, failed: GateVerdict): DreamfoldError {
  return new DreamfoldError('precondition_failed', `The patch ${patchId} has failed a gate`, {
    path: 'patch',
    value: failed,
    remedy: 'Reject it, or write the change yourself.',
  });
}

/** The door for whoever proposes, decides or writes: `person:NAME`, or a part of the program. */
function checkActor(actor: unknown): void {
  const prefix = typeof actor === 'string' && actor.startsWith(PERSON) ? PERSON : '';
  const name = typeof actor === 'string' ? actor.slice(prefix.length) : actor;
  checkName(name, { path: 'by', maxChars: MAX_LABELLER_CHARS });
}

function isDream(actor: string): boolean {
  return actor.startsWith('dream:');
}

function selfApproval(by: string): DreamfoldError {
  return new DreamfoldError('self_approval_forbidden', `${by} can't approve this change`, {
    path: 'by',
    value: by,
    remedy: 'Have somebody else approve it: a person who did not propose it.',
  });
}

function moved(base: string, hash: string): DreamfoldError {
  return new DreamfoldError('precondition_failed', 'What the patch touches has changed since it was made', {
    path: 'base_hash',
    value: { base, hash },
    remedy: 'Read the document again and make the patch for what it holds now.',
  });
}

function notFound(id: string, what: string): DreamfoldError {
  return new DreamfoldError('not_found', `There is no ${what} ${id}`, {
    path: what,
    value: id,
    remedy: 'List what there is with dreamfold memory or dreamfold review.',
  });
}
