import { patchOf, writtenBy, type MemoryState, type PatchStatus } from '@dreamfold/core';
import type { Finding, Insight, PatchOperation, PatchProposed } from '@dreamfold/events';

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

/** What a dream proposed with a patch: what it writes, or what it takes away. Null for a patch that holds no such insight. */
export function findingIn({ operations }: Pick<PatchProposed, 'operations'>, insightId: string): Finding | null {
  const insight = insightsOf({ operations }, ['add', 'replace', 'test']).findLast(({ id }) => id === insightId);
  if (insight !== undefined) return insight;
  const written = writtenBy(operations);
  if (written?.value.kind !== 'note') return null;
  return { kind: 'note', id: insightId, path: written.path, content: written.value.content };
}

type WithValue = Extract<PatchOperation, { value: unknown }>['op'];

function insightsOf({ operations }: Pick<PatchProposed, 'operations'>, ops: readonly WithValue[] = ['add', 'replace']): Insight[] {
  return operations.flatMap((operation: PatchOperation) => {
    if (!('value' in operation) || !ops.includes(operation.op)) return [];
    const value = operation.value as Partial<Insight> | null;
    const isInsight = typeof value === 'object' && value !== null && ['choice', 'recovery', 'base_rate'].includes(value.kind ?? '');
    return isInsight ? [value as Insight] : [];
  });
}
