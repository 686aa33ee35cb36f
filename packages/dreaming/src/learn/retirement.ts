import type { InsightCounts } from '@dreamfold/core';
import type { ChoiceInsight, Insight } from '@dreamfold/events';
import { supportOfPair, witnessesOf, type ChoiceLearner, type Pair } from './choice-learner.ts';
import { learnerKey, type Knowledge } from './knowledge.ts';
import { isHarmful, misledEvidence } from './outcomes.ts';
import type { PriorProposal } from '../prior-proposals.ts';
import { hasQuorum } from './quorum.ts';
import { STALE_LESSONS } from './propose-choices.ts';
import type { Standing } from './standing.ts';

/** At most so many decisions are cited for a retirement. */
const MAX_EVIDENCE = 12;

export interface Retirement {
  reason: string;
  evidence: string[];
  /** Other labels go against what still bears it out, and nothing else tells agents the same. */
  contradicted: boolean;
}

export interface RetireContext {
  knowledge: Knowledge;
  /** What the learner finds now. */
  found: ReadonlySet<string>;
  /** Whether another finding tells the same for this cue. */
  tells: (choice: ChoiceInsight, phrase: string) => boolean;
  /** Whether the store tells another value for this cue by now, and the learner finds it too: then somebody has agreed to the turn. */
  turned: (choice: ChoiceInsight, phrase: string) => boolean;
  counts: ReadonlyMap<string, InsightCounts>;
  prior: (insightId: string) => PriorProposal | undefined;
  /** How an insight stands that the learner found; null for what it found not. */
  standingOf: (insight: Insight) => Standing | null;
}

/** Why an insight of the store has to go; null when it stays. What the learner did not write, only its outcomes retire. */
export function retirementOf(insight: Insight, context: RetireContext): Retirement | null {
  const { knowledge, found, tells, turned, counts, prior, standingOf } = context;
  const before = prior(insight.id)?.evidence ?? [];
  const counted = counts.get(insight.id);
  if (isHarmful(counted) && isWorseThanChance(insight, counted!, context)) {
    const evidence = misledEvidence(knowledge.outcomes.get(insight.id));
    const reason = `It misled ${counted!.harmful} principals whose sessions followed it, and helped ${counted!.helpful}.`;
    return retirement({ reason, contradicted: true }, evidence.length > 0 ? evidence : before);
  }
  if (insight.kind !== 'choice' || found.has(insight.id)) return null;
  const standing = standingOf(insight);
  if (standing === null) return null;
  const by = standing === 'customers' ? 'customers' : 'trusted';
  const learner = knowledge.learners.get(learnerKey(insight.tool, insight.field, by));
  if (learner === undefined) return null;
  const evidence = evidenceOf(insight, learner);
  const reason = whyGone(insight, learner);
  const stands = insight.cues.some(({ phrase }) => hasEvidence(learner.pairs.get(phrase)?.get(insight.value)));
  const goesOn = insight.cues.some(({ phrase }) => tells(insight, phrase)) || insight.cues.every(({ phrase }) => turned(insight, phrase));
  const contradicted = stands && !goesOn && !isStale(insight, learner);
  return retirement({ reason, contradicted }, evidence.length > 0 ? evidence : before);
}

/**
 * Among many values the right one is seldom chosen at first, and an insight that is right two times of five is a good one.
 * What the learner finds goes when it helped no more often than its value is right anyhow.
 */
function isWorseThanChance(insight: Insight, { helpful, harmful }: InsightCounts, { knowledge, standingOf }: RetireContext): boolean {
  if (insight.kind !== 'choice' || standingOf(insight) === null) return true;
  const voters = knowledge.learners.get(learnerKey(insight.tool, insight.field))?.voters;
  if (voters === undefined) return true;
  const votes = [...voters.values()].reduce((sum, { size }) => sum + size, 0);
  return helpful <= ((helpful + harmful) * (voters.get(insight.value)?.size ?? 0)) / Math.max(1, votes);
}

function retirement(why: Omit<Retirement, 'evidence'>, evidence: readonly string[]): Retirement | null {
  return evidence.length === 0 ? null : { ...why, evidence: evidence.slice(0, MAX_EVIDENCE) };
}

function whyGone(insight: ChoiceInsight, learner: ChoiceLearner): string {
  if (isStale(insight, learner)) return `It is stale: none of its cues was said in the last ${STALE_LESSONS} labelled decisions.`;
  return `The ${learner.lessons} labelled decisions no longer bear it out at this strength.`;
}

function hasEvidence(pair: Pair | undefined): boolean {
  return pair !== undefined && hasQuorum(supportOfPair(pair));
}

function isStale(insight: ChoiceInsight, learner: ChoiceLearner): boolean {
  const last = Math.max(-1, ...insight.cues.map(({ phrase }) => learner.pairs.get(phrase)?.get(insight.value)?.last ?? -1));
  return last >= 0 && learner.lessons - last > STALE_LESSONS;
}

/** The decisions that speak for other values where its cues are said, or else those that spoke for it. */
function evidenceOf({ cues, value }: ChoiceInsight, learner: ChoiceLearner): string[] {
  const pairs = cues.flatMap(({ phrase }) => [...(learner.pairs.get(phrase) ?? [])]);
  const against = pairs.filter(([right]) => right !== value);
  return [...new Set((against.length > 0 ? against : pairs).flatMap(([, pair]) => witnessesOf(pair).flatMap(({ evidence }) => evidence)))];
}
