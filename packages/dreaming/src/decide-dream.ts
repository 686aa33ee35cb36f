import type { DreamState } from './dream-state.ts';

/**
 * What a dream does next. Whoever performs it records what came of it on the dream's stream; as long as nothing is recorded, the same
 * intent follows again, and performing it again has no second effect.
 */
export type DreamIntent =
  /** Read the sessions of its range, and learn from them: `dream.reviewed`. */
  | { readonly do: 'review' }
  /** Ask a proposer: `dream.proposal_requested` before, `dream.proposal_answered` after. */
  | { readonly do: 'ask'; readonly proposer: string }
  /** Decide what to propose: `dream.refined`, or `dream.completed` where too little is new. */
  | { readonly do: 'refine' }
  /** Propose what was decided, from this insight on: `dream.insight_proposed`. */
  | { readonly do: 'propose'; readonly from: number }
  | { readonly do: 'complete' };

/** What follows from a dream's state alone; null when it has not begun, or has ended. */
export function decideDream({ status, started, isReviewed, answers, refined, settled }: DreamState): DreamIntent | null {
  if (status !== 'running') return null;
  if (!isReviewed) return { do: 'review' };
  const proposer = started?.options?.proposers?.find((name) => !answers.some((answer) => answer.proposer === name));
  if (proposer !== undefined) return { do: 'ask', proposer };
  if (refined === null) return { do: 'refine' };
  return settled < refined.insights ? { do: 'propose', from: settled } : { do: 'complete' };
}
