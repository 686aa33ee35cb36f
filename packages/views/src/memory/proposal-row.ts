import { isUndecided, mayBecome, type PatchRecord, type PatchStatus } from '@dreamfold/core';
import { foldKnown, CATALOGUE, idOfStream, knownEvent, type GateVerdict, type LogEvent } from '@dreamfold/events';

/** A patch of a memory store in a list: all that is known of it but what takes it back. */
export interface ProposalRow {
  id: string;
  /** Id of the store. */
  store: string;
  record: Omit<PatchRecord, 'undo'>;
}

/** The row of a patch as far as its store's stream is folded; null before it was proposed. Plain JSON. */
export type ProposalRowState = ProposalRow | null;

/** The id of the patch that an event of a store's stream speaks of, null for an event of another kind. */
export function proposalOfEvent(event: LogEvent): string | null {
  if (!event.type.startsWith('memory.patch_')) return null;
  const known = knownEvent(event);
  const id = (known?.data as { patch_id?: unknown } | null | undefined)?.patch_id;
  return typeof id === 'string' ? id : null;
}

const fold = foldKnown<ProposalRowState>({
  'memory.patch_proposed': (state, { data, stream, time }) =>
    state ?? {
      id: data.patch_id,
      store: idOfStream(stream),
      record: { proposal: data, status: 'proposed', gates: [], decision: null, time },
    },
  'memory.patch_validated': (state, { data }) => moved(state, 'validated', { gates: data.gates }),
  'memory.patch_approved': (state, { data }) => moved(state, 'approved', { decision: { by: data.by, reason: data.note ?? '' } }),
  'memory.patch_rejected': (state, { data }) => moved(state, 'rejected', { decision: { by: data.by, reason: data.reason } }),
  'memory.patch_applied': (state) => moved(state, 'applied', {}),
  'memory.patch_rolled_back': (state) => moved(state, 'rolled_back', {}),
});

function moved(state: ProposalRowState, to: PatchStatus, fields: Partial<ProposalRow['record']>): ProposalRowState {
  if (state === null || !mayBecome(state.record.status, to)) return state;
  return { ...state, record: { ...state.record, ...fields, status: to } };
}

/** The row after one more event that speaks of its patch. Whether a patch fits its document is the store's to say. */
export function evolveProposalRow(state: ProposalRowState, event: LogEvent): ProposalRowState {
  const known = knownEvent(event);
  if (known === null || known.data === null || !CATALOGUE[known.type].safeParse(known.data).success) return state;
  return fold(state, known);
}

/** True while a person has to decide on it. */
export function isWaiting({ record }: { record: Pick<PatchRecord, 'status'> }): boolean {
  return isUndecided(record.status);
}

/** The kinds of alarm that its words set off: none is proof of anything. */
export function alarmsOf({ record }: { record: { readonly gates: readonly GateVerdict[] } }): string[] {
  return record.gates.flatMap(({ alarms }) => alarms ?? []);
}

/** What waits, as a person should go through it: what raises the most alarm first, then the oldest. */
export function waitingIn<P extends { record: Pick<PatchRecord, 'status' | 'gates' | 'time'> }>(proposals: readonly P[]): P[] {
  return proposals.filter(isWaiting).sort((a, b) => alarmsOf(b).length - alarmsOf(a).length || a.record.time - b.record.time);
}
