import type { ChoiceInsight, Cue } from '@dreamfold/events';
import type { Sha256 } from '@dreamfold/core';
import { meanWeight, type ChoiceLearner, type Witness } from './choice-learner.ts';
import { choiceId } from './insight-id.ts';
import { QUORUM } from './quorum.ts';

/** Points a unit of log-odds: what people and policies read are small whole numbers. */
const POINTS = 10;
/** A word that more than this part of all votes says is no cue, whatever the language. */
const COMMON = 0.5;
/** How far above chance a word has to go with a value, in standard deviations of the binomial distribution … */
const MIN_DEVIATIONS = 2;
/** … unless so many of those who say it mean that value: there are too few of them for statistics, and they agree. */
const MIN_SHARE = 0.8;
/** Cues of all insights together. What has moved too little to be written again may add some; 4,000 is the limit. */
const MAX_CUES = 3800;
const MAX_CUES_PER_INSIGHT = 200;
/** A cue of fewer points tells too little to be kept. */
const MIN_POINTS = 3;
/** The groups that the cues of a value fall into, by their least points. */
const STRENGTHS = [20, 10, MIN_POINTS] as const;
/** A proposal visits every pair; reading one word pays for so many visits. */
const VISITS_PER_WORD = 4;
/** A cue that nobody has said in so many labelled decisions is stale. */
export const STALE_LESSONS = 10_000;

/** A choice that the lessons bear out, with the decisions that show it, by cue. */
export interface ChoiceDraft {
  insight: ChoiceInsight;
  witnesses: ReadonlyMap<string, readonly Witness[]>;
}

/**
 * True when what was read since the last proposal pays for the next one, so that many small dreams cost little more than
 * one; and when a label was corrected, for what it taught must not stay.
 */
export function isDue(learners: readonly ChoiceLearner[]): boolean {
  if (learners.some(({ corrected }) => corrected)) return true;
  const words = learners.reduce((sum, { wordsSinceProposal }) => sum + wordsSinceProposal, 0);
  return words > 0 && words * VISITS_PER_WORD >= pairsOf(learners);
}

export function pairsOf(learners: readonly ChoiceLearner[]): number {
  return learners.reduce((sum, { pairCount }) => sum + pairCount, 0);
}

interface Found {
  learner: ChoiceLearner;
  value: string;
  cue: Cue;
  witnesses: readonly Witness[];
  use: number;
}

/**
 * The insights that the lessons bear out now, in the order of tool, field, value and strength. Their ids follow from what
 * they are about, so a later proposal takes the place of an earlier one. Work: one visit a pair, and a sort.
 */
export function proposeChoices(learners: readonly ChoiceLearner[], sha256: Sha256): ChoiceDraft[] {
  const found = learners.flatMap(cuesOf);
  found.sort((a, b) => b.use - a.use || compare(a.value, b.value) || compare(a.cue.phrase, b.cue.phrase));
  const groups = Map.groupBy(found.slice(0, MAX_CUES), ({ learner, value, cue }) =>
    JSON.stringify([learner.tool, learner.field, value, STRENGTHS.findIndex((least) => cue.points >= least)]),
  );
  return [...groups].sort(([a], [b]) => compare(a, b)).map(([, group]) => draftOf(group.slice(0, MAX_CUES_PER_INSIGHT), sha256));
}

/** The ids that the learner gives its insights on a value. */
export function learntIds({ tool, field, value }: Pick<ChoiceInsight, 'tool' | 'field' | 'value'>, sha256: Sha256): string[] {
  return STRENGTHS.map((strength) => choiceId({ tool, field, value, strength }, sha256));
}

function draftOf(group: readonly Found[], sha256: Sha256): ChoiceDraft {
  const [{ learner, value, cue }] = group as [Found, ...Found[]];
  const { tool, field } = learner;
  const strength = STRENGTHS.find((least) => cue.points >= least)!;
  const cues = group.map((one) => one.cue).sort((a, b) => b.points - a.points || compare(a.phrase, b.phrase));
  const support = { sessions: Math.min(...cues.map((one) => one.sessions)), principals: Math.min(...cues.map((one) => one.principals)) };
  return {
    insight: { kind: 'choice', id: choiceId({ tool, field, value, strength }, sha256), tool, field, value, cues, support },
    witnesses: new Map(group.map(({ cue: { phrase }, witnesses }) => [phrase, witnesses])),
  };
}

function cuesOf(learner: ChoiceLearner): Found[] {
  learner.wordsSinceProposal = 0;
  learner.corrected = false;
  let votes = 0;
  for (const voters of learner.voters.values()) votes += voters.size;
  const found: Found[] = [];
  for (const [phrase, byValue] of learner.pairs) {
    let said = 0;
    for (const { principals } of byValue.values()) said += principals.size;
    if (said > COMMON * votes) continue;
    for (const [value, pair] of byValue) {
      const [sessions, principals] = [pair.sessions.size, pair.principals.size];
      if (sessions < QUORUM.sessions || principals < QUORUM.principals) continue;
      if (learner.lessons - pair.last > STALE_LESSONS) continue;
      if (principals < MIN_SHARE * said && deviations(principals, said, learner.voters.get(value)!.size / votes) < MIN_DEVIATIONS) continue;
      const points = Math.min(999, Math.round(meanWeight(learner, pair) * POINTS));
      if (points < MIN_POINTS) continue;
      const use = points * Math.sqrt(principals);
      found.push({ learner, value, cue: { phrase, points, sessions, principals }, witnesses: pair.witnesses, use });
    }
  }
  return found;
}

/** Of so many votes, `part` go to a value that gets the share `base` of all: how far that is from chance. */
function deviations(part: number, all: number, base: number): number {
  return (part - all * base) / Math.sqrt(Math.max(all * base * (1 - base), Number.MIN_VALUE));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
