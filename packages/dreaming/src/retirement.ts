import type { InsightCounts, Sha256 } from '@dreamfold/core';
import type { ChoiceInsight, Insight } from '@dreamfold/events';
import type { ChoiceLearner } from './choice-learner.ts';
import { learnerKey, type Knowledge } from './knowledge.ts';
import { isHarmful, misledEvidence } from './outcomes.ts';
import type { PriorProposal } from './prior-proposals.ts';
import { STALE_LESSONS, learntIds } from './propose-choices.ts';

/** At most so many decisions are cited for a retirement. */
const MAX_EVIDENCE = 12;

export interface Retirement {
  reason: string;
  evidence: string[];
}

interface RetireContext {
  knowledge: Knowledge;
  /** What the learner finds now. */
  found: ReadonlySet<string>;
  counts: ReadonlyMap<string, InsightCounts>;
  prior: (insightId: string) => PriorProposal | undefined;
  sha256: Sha256;
}

/** Why an insight of the store has to go; null when it stays. What the learner did not write, only its outcomes retire. */
export function retirementOf(insight: Insight, context: RetireContext): Retirement | null {
  const { knowledge, found, counts, prior, sha256 } = context;
  const before = prior(insight.id)?.evidence ?? [];
  const counted = counts.get(insight.id);
  if (isHarmful(counted) && isWorseThanChance(insight, counted!, context)) {
    const evidence = misledEvidence(knowledge.outcomes.get(insight.id));
    const reason = `It misled ${counted!.harmful} principals whose sessions followed it, and helped ${counted!.helpful}.`;
    return retirement(reason, evidence.length > 0 ? evidence : before);
  }
  if (insight.kind !== 'choice' || found.has(insight.id) || !learntIds(insight, sha256).includes(insight.id)) return null;
  const learner = knowledge.learners.get(learnerKey(insight.tool, insight.field));
  if (learner === undefined) return null;
  const evidence = evidenceOf(insight, learner);
  return retirement(whyGone(insight, learner), evidence.length > 0 ? evidence : before);
}

/**
 * Among many values the right one is seldom chosen at first, and an insight that is right two times of five is a good one.
 * What the learner finds goes when it helped no more often than its value is right anyhow.
 */
function isWorseThanChance(insight: Insight, { helpful, harmful }: InsightCounts, { knowledge, sha256 }: RetireContext): boolean {
  if (insight.kind !== 'choice' || !learntIds(insight, sha256).includes(insight.id)) return true;
  const voters = knowledge.learners.get(learnerKey(insight.tool, insight.field))?.voters;
  if (voters === undefined) return true;
  const votes = [...voters.values()].reduce((sum, { size }) => sum + size, 0);
  return helpful <= ((helpful + harmful) * (voters.get(insight.value)?.size ?? 0)) / Math.max(1, votes);
}

function retirement(reason: string, evidence: readonly string[]): Retirement | null {
  return evidence.length === 0 ? null : { reason, evidence: evidence.slice(0, MAX_EVIDENCE) };
}

function whyGone(insight: ChoiceInsight, learner: ChoiceLearner): string {
  const last = Math.max(-1, ...insight.cues.map(({ phrase }) => learner.pairs.get(phrase)?.get(insight.value)?.last ?? -1));
  if (last >= 0 && learner.lessons - last > STALE_LESSONS) {
    return `It is stale: none of its cues was said in the last ${STALE_LESSONS} labelled decisions.`;
  }
  return `The ${learner.lessons} labelled decisions no longer bear it out at this strength.`;
}

/** The decisions that speak for other values where its cues are said, or else those that spoke for it. */
function evidenceOf({ cues, value }: ChoiceInsight, learner: ChoiceLearner): string[] {
  const pairs = cues.flatMap(({ phrase }) => [...(learner.pairs.get(phrase) ?? [])]);
  const against = pairs.filter(([right]) => right !== value);
  return [...new Set((against.length > 0 ? against : pairs).flatMap(([, pair]) => pair.witnesses.flatMap(({ evidence }) => evidence)))];
}
