import type { Sha256 } from '@dreamfold/core';
import type { BaseRateInsight } from '@dreamfold/events';
import { baseRateId } from '../insight-id.ts';
import { fitOf, supportOfPair, witnessesOf, type ChoiceLearner, type Pair } from './choice-learner.ts';
import { basePoints } from './fit/choice-table.ts';
import { areUnequal } from './fit/votes.ts';
import type { Witness } from './quorum.ts';

const MAX_VALUES = 200;
/** Values whose decisions are cited. */
const CITED_VALUES = 5;

/** The base rates of a field, with decisions that show the most frequent values. */
export interface BaseRateDraft {
  insight: BaseRateInsight;
  witnesses: readonly Witness[];
}

/** The base rates of each field whose values are right unequally often. What customers say of their own sessions counts for none. */
export function proposeBaseRates(learners: readonly ChoiceLearner[], sha256: Sha256): BaseRateDraft[] {
  return learners.flatMap((learner) => {
    if (learner.by === 'customers' || !areUnequal([...learner.voters.values()].map(({ size }) => size))) return [];
    const values = ratesOf(learner);
    return values.length === 0 ? [] : [draftOf(learner, { values, sha256 })];
  });
}

function draftOf(learner: ChoiceLearner, { values, sha256 }: { values: BaseRateInsight['values']; sha256: Sha256 }): BaseRateDraft {
  const { tool, field, taught, voters } = learner;
  const support = {
    sessions: new Set(taught.map(({ session }) => session)).size,
    principals: new Set([...voters.values()].flatMap((names) => [...names])).size,
  };
  const witnesses = values.slice(0, CITED_VALUES).flatMap(({ value }) => {
    const pair = mostSeen(learner, value);
    return pair === null ? [] : witnessesOf(pair);
  });
  return { insight: { kind: 'base_rate', id: baseRateId({ tool, field }, sha256), tool, field, values, support }, witnesses };
}

/** Points above those of the value that is right least often. */
function ratesOf(learner: ChoiceLearner): BaseRateInsight['values'] {
  const { base } = fitOf(learner);
  const seen = new Map([...base].filter(([value]) => learner.voters.has(value)));
  return [...basePoints(seen)]
    .map(([value, points]) => ({ value, points }))
    .filter(({ points }) => points > 0)
    .sort((a, b) => b.points - a.points || (a.value < b.value ? -1 : 1))
    .slice(0, MAX_VALUES);
}

/** What was seen of the word that goes with a value most often. */
function mostSeen({ pairs }: ChoiceLearner, value: string): Pair | null {
  let most: Pair | null = null;
  for (const byValue of pairs.values()) {
    const pair = byValue.get(value);
    if (pair !== undefined && (most === null || supportOfPair(pair).sessions > supportOfPair(most).sessions)) most = pair;
  }
  return most;
}

/** True when base rates have moved too little to be written again: by a tenth of all their points. */
export function hasSameRates(before: BaseRateInsight, after: BaseRateInsight): boolean {
  const was = new Map(before.values.map(({ value, points }) => [value, points]));
  const is = new Map(after.values.map(({ value, points }) => [value, points]));
  let [moved, sum] = [0, 0];
  for (const value of new Set([...was.keys(), ...is.keys()])) {
    moved += Math.abs((is.get(value) ?? 0) - (was.get(value) ?? 0));
    sum += was.get(value) ?? 0;
  }
  return moved < Math.max(2, sum / 10);
}
