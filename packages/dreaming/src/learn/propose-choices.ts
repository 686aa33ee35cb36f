import type { ChoiceInsight, Cue, Insight } from '@dreamfold/events';
import type { Sha256 } from '@dreamfold/core';
import { meanWeight, supportOfPair, witnessesOf, type ChoiceLearner } from './choice-learner.ts';
import { choiceId } from '../insight-id.ts';
import type { ClaimedSupport, Heard } from './learnt-reason.ts';
import { hasQuorum, leastSupport, type Witness } from './quorum.ts';
import { NOTHING_TOLD, useOf, withStanding, type FoundCue, type Standing, type Told } from './standing.ts';

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
/** Groups of cues that wait for a person apart from others, whatever their points. */
const APART = ['claimed', 'customers', 'turn'] as const satisfies readonly Standing[];
/** A cue that nobody has said in so many labelled decisions is stale. */
export const STALE_LESSONS = 10_000;

/** A choice that the lessons bear out, with the decisions that show it, by cue. */
export interface ChoiceDraft {
  insight: ChoiceInsight;
  witnesses: ReadonlyMap<string, readonly Witness[]>;
  /** Ids of the insights of the store that tell another value for one of its cues. */
  turns: readonly string[];
  heard: Required<Heard>;
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

/**
 * The insights that the lessons bear out now, in the order of tool, field, value and group. Their ids follow from what
 * they are about, so a later proposal takes the place of an earlier one. Work: one visit a pair, and a sort.
 * @param told what the store tells already
 */
export function proposeChoices(learners: readonly ChoiceLearner[], sha256: Sha256, told: Told = NOTHING_TOLD): ChoiceDraft[] {
  const found = heard(learners).sort(byUse).slice(0, MAX_CUES);
  const groups = Map.groupBy(withStanding(found, told).sort(byUse), ({ learner, value, cue, standing }) =>
    JSON.stringify([learner.tool, learner.field, value, standing === 'plain' ? STRENGTHS.indexOf(strengthOf(cue)) : standing]),
  );
  return [...groups].sort(([a], [b]) => compare(a, b)).map(([, group]) => draftOf(group.slice(0, MAX_CUES_PER_INSIGHT), sha256));
}

/** The ids that the learner gives its insights on a value. */
export function learntIds({ tool, field, value }: Pick<ChoiceInsight, 'tool' | 'field' | 'value'>, sha256: Sha256): string[] {
  const about = { tool, field, value };
  const apart = APART.map((standing) => choiceId({ ...about, standing }, sha256));
  return [...STRENGTHS.map((strength) => choiceId({ ...about, strength }, sha256)), ...apart];
}

/** How an insight that the learner found stands, by its id; null when it found it not. */
export function standingOf(insight: Insight, sha256: Sha256): Standing | null {
  if (insight.kind !== 'choice') return null;
  const at = learntIds(insight, sha256).indexOf(insight.id);
  return at === -1 ? null : (APART[at - STRENGTHS.length] ?? 'plain');
}

/** What customers say of their own sessions is heard where nobody else has said enough of a word. */
function heard(learners: readonly ChoiceLearner[]): FoundCue[] {
  const trusted = new Map(learners.filter(({ by }) => by === 'trusted').map((one) => [JSON.stringify([one.tool, one.field]), one]));
  return learners.flatMap((learner) => {
    const found = cuesOf(learner);
    if (learner.by === 'trusted') return found;
    const others = trusted.get(JSON.stringify([learner.tool, learner.field]));
    return found.filter(({ cue }) => !isSettled(others, cue.phrase));
  });
}

function isSettled(learner: ChoiceLearner | undefined, phrase: string): boolean {
  const pairs = [...(learner?.pairs.get(phrase)?.values() ?? [])];
  const sum = (sizes: number[]): number => sizes.reduce((a, b) => a + b, 0);
  return hasQuorum({
    sessions: sum(pairs.map(({ sessions }) => sessions.size)),
    principals: new Set(pairs.flatMap(({ principals }) => [...principals.keys()])).size,
  });
}

function draftOf(group: readonly FoundCue[], sha256: Sha256): ChoiceDraft {
  const [{ learner, value, cue, standing }] = group as [FoundCue, ...FoundCue[]];
  const about = { tool: learner.tool, field: learner.field, value };
  const id = choiceId(standing === 'plain' ? { ...about, strength: strengthOf(cue) } : { ...about, standing }, sha256);
  const cues = group.map((one) => one.cue).sort((a, b) => b.points - a.points || compare(a.phrase, b.phrase));
  const most = group.map(claimedOf).reduce((a, b) => (b.claimed > a.claimed ? b : a));
  return {
    insight: { kind: 'choice', id, ...about, cues, support: leastSupport(cues) },
    witnesses: new Map(group.map((one) => [one.cue.phrase, witnessesOf(one.pair)])),
    turns: [...new Set(group.flatMap(({ turns }) => turns))],
    heard: {
      claimed: most.claimed === 0 ? null : most,
      said: new Map(group.map((one) => [one.cue.phrase, labelledSessions(one.learner, one.cue.phrase)])),
    },
  };
}

/** In how many sessions somebody has said what was right where a word was said: one for each value that was. */
function labelledSessions({ pairs }: ChoiceLearner, phrase: string): number {
  let sum = 0;
  for (const { sessions } of pairs.get(phrase)?.values() ?? []) sum += sessions.size;
  return sum;
}

function claimedOf({ cue: { phrase, principals }, pair }: FoundCue): ClaimedSupport {
  return { phrase, claimed: pair.principals.size - pair.authenticated.principals, principals };
}

function byUse(a: FoundCue, b: FoundCue): number {
  return b.use - a.use || compare(a.value, b.value) || compare(a.cue.phrase, b.cue.phrase);
}

function strengthOf({ points }: Cue): (typeof STRENGTHS)[number] {
  return STRENGTHS.find((least) => points >= least) ?? MIN_POINTS;
}

function cuesOf(learner: ChoiceLearner): FoundCue[] {
  learner.wordsSinceProposal = 0;
  learner.corrected = false;
  let votes = 0;
  for (const voters of learner.voters.values()) votes += voters.size;
  const found: FoundCue[] = [];
  const standing: Standing = learner.by === 'customers' ? 'customers' : 'plain';
  for (const [phrase, byValue] of learner.pairs) {
    let said = 0;
    for (const { principals } of byValue.values()) said += principals.size;
    if (said > COMMON * votes) continue;
    for (const [value, pair] of byValue) {
      const support = supportOfPair(pair);
      const { principals } = support;
      if (!hasQuorum(support)) continue;
      if (learner.lessons - pair.last > STALE_LESSONS) continue;
      if (principals < MIN_SHARE * said && deviations(principals, said, learner.voters.get(value)!.size / votes) < MIN_DEVIATIONS) continue;
      const points = Math.min(999, Math.round(meanWeight(learner, pair) * POINTS));
      if (points < MIN_POINTS) continue;
      const cue = { phrase, points, ...support };
      found.push({ learner, value, cue, pair, use: useOf(cue), standing, turns: [] });
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
