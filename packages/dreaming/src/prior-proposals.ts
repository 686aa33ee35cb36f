import { patchOf, type MemoryState, type PatchStatus } from '@dreamfold/core';
import type { Insight, PatchOperation, PatchProposed } from '@dreamfold/events';

/** The newest patch that put an insight of some id forward. */
export interface PriorProposal {
  patchId: string;
  status: PatchStatus;
  /** A person rejected it or took it back, rather than a newer dream. */
  byPerson: boolean;
  insight: Insight;
  reason: string;
  evidence: readonly string[];
}

/** Rejects, for a dream, a proposal that a newer one takes the place of. */
export const SUPERSEDED = 'Superseded by a newer dream.';

/** For each insight that a dream has put forward, the patch that did so last. */
export function proposedPatches(state: MemoryState): Map<string, string> {
  const patches = new Map<string, string>();
  for (const { proposal } of state.patches) {
    if (!proposal.author.startsWith('dream:')) continue;
    for (const { id } of insightsOf(proposal)) patches.set(id, proposal.patch_id);
  }
  return patches;
}

/** An earlier proposal of an insight, as it stands. @param patchId of `proposedPatches` */
export function priorProposal(state: MemoryState, insightId: string, patchId: string | undefined): PriorProposal | undefined {
  const record = patchId === undefined ? undefined : patchOf(state, patchId);
  const insight = record === undefined ? undefined : insightsOf(record.proposal).find(({ id }) => id === insightId);
  if (record === undefined || insight === undefined) return undefined;
  const { status, decision, proposal } = record;
  const byPerson = status === 'rolled_back' || (status === 'rejected' && decision?.by !== 'system');
  return { patchId: proposal.patch_id, status, byPerson, insight, reason: proposal.reason, evidence: proposal.evidence };
}

function insightsOf({ operations }: PatchProposed): Insight[] {
  return operations.flatMap((operation: PatchOperation) => {
    if (operation.op !== 'add' && operation.op !== 'replace') return [];
    const value = operation.value as Partial<Insight> | null;
    const isInsight = typeof value === 'object' && value !== null && (value.kind === 'choice' || value.kind === 'recovery');
    return isInsight ? [value as Insight] : [];
  });
}
