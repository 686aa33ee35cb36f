import { shuffled } from './shuffled.ts';
import { problemOf, type FitLesson, type Problem } from './problem.ts';

export type { FitLesson } from './problem.ts';

/** Passes over the lessons. */
const PASSES = 6;
/** Of AdaGrad (Duchi, Hazan and Singer, JMLR 12, 2011): how far the first step goes, and what keeps it finite. */
const RATE = 0.6;
const FLOOR = 0.01;
/** What a weight costs for being there, in log-odds a vote: a word that tells nothing goes to 0. */
const L1 = 0.001;
/** What an agent chose by itself has so many log-odds already, where that is known: memory has to tell only what is missing. */
const OWN_CHOICE = 1;

/** Log-odds that words give to values. They are never negative, since memory speaks for values and not against them. */
export interface ChoiceFit {
  /** By word, then by value. */
  cues: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** What a value has where no word is said: its base rate, of which no word has any. */
  base: ReadonlyMap<string, number>;
}

interface Weights {
  /** Of each pair of a word and a value. */
  pairs: Float64Array;
  /** Of each value. */
  base: Float64Array;
}

/**
 * Multinomial logistic regression over the words of labelled requests, trained as it is told: weights are never negative, a principal has
 * one vote for each value, and a word speaks for a value only with a quorum. The lessons are all that goes into it, so one that is
 * corrected or taken back is unlearnt by fitting again.
 * @param values that may be right: lessons of others are left out
 */
export function fitChoices(lessons: readonly FitLesson[], values: readonly string[]): ChoiceFit {
  const problem = problemOf(lessons, values);
  const weights = { pairs: new Float64Array(problem.pairValue.length), base: new Float64Array(values.length) };
  train(problem, weights);
  const cues = new Map<string, ReadonlyMap<string, number>>();
  for (const [w, word] of problem.words.entries()) {
    const said = new Map<string, number>();
    for (let p = problem.pairsFrom[w]!; p < problem.pairsFrom[w + 1]!; p += 1)
      if (weights.pairs[p]! > 0) said.set(values[problem.pairValue[p]!]!, weights.pairs[p]!);
    if (said.size > 0) cues.set(word, said);
  }
  return { cues, base: new Map(values.map((value, v) => [value, weights.base[v]!])) };
}

function train(problem: Problem, weights: Weights): void {
  const squares = { pairs: new Float64Array(weights.pairs.length), base: new Float64Array(weights.base.length) };
  const scores = new Float64Array(weights.base.length);
  for (let pass = 0; pass < PASSES; pass += 1)
    for (const row of shuffled(problem.rows, pass)) {
      toChances(problem, { row, weights, scores });
      step(problem, { row, weights, squares, scores });
    }
}

/** Sets `scores` to the chance of each value, given what a request says. */
function toChances(
  { pairsFrom, pairValue }: Problem,
  { row: { words, without }, weights, scores }: { row: Problem['rows'][number]; weights: Weights; scores: Float64Array },
): void {
  scores.set(weights.base);
  if (without >= 0) scores[without]! += OWN_CHOICE;
  for (const w of words) for (let p = pairsFrom[w]!; p < pairsFrom[w + 1]!; p += 1) scores[pairValue[p]!]! += weights.pairs[p]!;
  let most = -Infinity;
  for (const score of scores) if (score > most) most = score;
  let sum = 0;
  for (let v = 0; v < scores.length; v += 1) sum += scores[v] = Math.exp(scores[v]! - most);
  for (let v = 0; v < scores.length; v += 1) scores[v]! /= sum;
}

function step(
  { pairsFrom, pairValue }: Problem,
  {
    row: { words, right, vote },
    weights,
    squares,
    scores,
  }: { row: Problem['rows'][number]; weights: Weights; squares: Weights; scores: Float64Array },
): void {
  for (const w of words) {
    for (let p = pairsFrom[w]!; p < pairsFrom[w + 1]!; p += 1) {
      const weight = weights.pairs[p]!;
      const value = pairValue[p]!;
      const slope = vote * (scores[value]! - (value === right ? 1 : 0) + (weight > 0 ? L1 : 0));
      if (weight === 0 && slope >= 0) continue;
      squares.pairs[p]! += slope * slope;
      weights.pairs[p] = Math.max(0, weight - (RATE * slope) / Math.sqrt(FLOOR + squares.pairs[p]!));
    }
  }
  for (let v = 0; v < scores.length; v += 1) {
    const slope = vote * (scores[v]! - (v === right ? 1 : 0));
    squares.base[v]! += slope * slope;
    weights.base[v]! -= (RATE * slope) / Math.sqrt(FLOOR + squares.base[v]!);
  }
}
