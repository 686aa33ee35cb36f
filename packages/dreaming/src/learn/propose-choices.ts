import type { ChoiceInsight, Insight } from '@dreamfold/events';
import type { Sha256 } from '@dreamfold/core';
import { MIN_POINTS, pointsOf } from './fit/choice-table.ts';
import { fitOf, supportOfPair, witnessesOf, type ChoiceLearner } from './choice-learner.ts';
import { choiceId } from '../insight-id.ts';
import type { ClaimedSupport, Heard } from './learnt-reason.ts';
import { hasQuorum, leastSupport, type Witness } from './quorum.ts';
import { NOTHING_TOLD, withStanding, type FoundCue, type Standing, type Told } from './standing.ts';

/** Cues of all insights together. What has moved too little to be written again may add some; 4,000 is the limit. */
const MAX_CUES = 3800;
const MAX_CUES_PER_INSIGHT = 200;
/** A look at all that is known is due once the lessons have grown by this part of those that the last one had. */
const GROWTH = 0.1;
/** Where the last one proved nothing to a store that applies changes by itself: each look makes the next proof harder. */
const UNPROVED_GROWTH = 0.5;
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
 * True when the lessons have grown enough since the last proposal to pay for the next one, so that many small dreams cost little more
 * than one; and when a label was corrected, for what it taught must not stay.
 */
export function isDue(learners: readonly ChoiceLearner[]): boolean {
  if (learners.some(({ corrected }) => corrected)) return true;
  const { now, dueAt } = growthOf(learners);
  return now >= dueAt;
}

/** How many labelled decisions there are, and how many pay for the next look. */
export function growthOf(learners: readonly ChoiceLearner[]): { now: number; dueAt: number } {
  const sum = (count: (learner: ChoiceLearner) => number): number => learners.reduce((all, one) => all + count(one), 0);
  const grown = sum(({ proposedFrom, isProved }) => Math.max(1, Math.ceil(proposedFrom * (isProved ? GROWTH : UNPROVED_GROWTH))));
  return { now: sum(({ lessons }) => lessons), dueAt: sum(({ proposedFrom }) => proposedFrom) + Math.max(1, grown) };
}

/**
 * The insights that the lessons bear out now, in the order of tool, field, value and group. Their ids follow from what
 * they are about, so a later proposal takes the place of an earlier one. Work: one fit a learner, and a sort.
 * @param told what the store tells already
 */
export function proposeChoices(learners: readonly ChoiceLearner[], sha256: Sha256, told: Told = NOTHING_TOLD): ChoiceDraft[] {
  const found = heard(learners).sort(strongest).slice(0, MAX_CUES);
  const groups = Map.groupBy(withStanding(found, told).sort(strongest), ({ learner, value, standing }) =>
    JSON.stringify([learner.tool, learner.field, value, standing === 'plain' ? '' : standing]),
  );
  return [...groups].sort(([a], [b]) => compare(a, b)).map(([, group]) => draftOf(group.slice(0, MAX_CUES_PER_INSIGHT), sha256));
}

/** The ids that the learner gives its insights on a value. */
export function learntIds({ tool, field, value }: Pick<ChoiceInsight, 'tool' | 'field' | 'value'>, sha256: Sha256): string[] {
  const about = { tool, field, value };
  return [choiceId(about, sha256), ...APART.map((standing) => choiceId({ ...about, standing }, sha256))];
}

/** How an insight that the learner found stands, by its id; null when it found it not. */
export function standingOf(insight: Insight, sha256: Sha256): Standing | null {
  if (insight.kind !== 'choice') return null;
  const at = learntIds(insight, sha256).indexOf(insight.id);
  return at === -1 ? null : (APART[at - 1] ?? 'plain');
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
  const [{ learner, value, standing }] = group as [FoundCue, ...FoundCue[]];
  const about = { tool: learner.tool, field: learner.field, value };
  const id = choiceId(standing === 'plain' ? about : { ...about, standing }, sha256);
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

function strongest(a: FoundCue, b: FoundCue): number {
  return b.cue.points - a.cue.points || compare(a.value, b.value) || compare(a.cue.phrase, b.cue.phrase);
}

function cuesOf(learner: ChoiceLearner): FoundCue[] {
  const { lessons, pairs, by } = learner;
  learner.proposedFrom = lessons;
  learner.corrected = false;
  const standing: Standing = by === 'customers' ? 'customers' : 'plain';
  const found: FoundCue[] = [];
  for (const [phrase, byValue] of fitOf(learner).cues) {
    for (const [value, odds] of byValue) {
      const pair = pairs.get(phrase)!.get(value)!;
      const points = pointsOf(odds);
      if (points < MIN_POINTS || lessons - pair.last > STALE_LESSONS) continue;
      found.push({ learner, value, cue: { phrase, points, ...supportOfPair(pair) }, pair, standing, turns: [] });
    }
  }
  return found;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
