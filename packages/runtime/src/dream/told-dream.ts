import { isDreamfoldError, type Finding } from '@dreamfold/events';
import { patchOf, type MemoryState } from '@dreamfold/core';
import { findingIn, type DreamState, type DreamtInsight } from '@dreamfold/dreaming';
import type { MemoryKeeper } from '../memory/memory-keeper.ts';

/** An insight of a dream, with what its patch says. */
export interface ToldInsight extends DreamtInsight {
  readonly insight: Finding;
  readonly reason: string;
  readonly evidence: readonly string[];
}

/** A dream, with what it proposed. */
export interface ToldDream extends DreamState {
  readonly insights: readonly ToldInsight[];
}

/** Looks up what a dream's insights say. Of a store that was erased nothing is known any more. */
export async function toldDream(dream: DreamState, memory: MemoryKeeper): Promise<ToldDream> {
  const needsStore = dream.insights.some(({ patchId }) => patchId !== null);
  const state = needsStore ? await storeOf(dream.started!.store_id, memory) : null;
  return { ...dream, insights: dream.insights.map((dreamt) => toldInsight(dreamt, state)) };
}

async function storeOf(id: string, memory: MemoryKeeper): Promise<MemoryState | null> {
  try {
    return (await memory.load(id)).state;
  } catch (error) {
    if (!isDreamfoldError(error, 'not_found')) throw error;
    return null;
  }
}

function toldInsight(dreamt: DreamtInsight, state: MemoryState | null): ToldInsight {
  const { insightId, patchId, insight, reason, evidence } = dreamt;
  const proposal = patchId === null || state === null ? undefined : patchOf(state, patchId)?.proposal;
  const gone: Finding = { kind: 'note', id: insightId, path: '/erased', content: 'The patch that says it is not there any more.' };
  return {
    ...dreamt,
    insight: insight ?? (proposal === undefined ? null : findingIn(proposal, insightId)) ?? gone,
    reason: reason ?? proposal?.reason ?? 'It is not there any more.',
    evidence: evidence ?? proposal?.evidence ?? [],
  };
}
