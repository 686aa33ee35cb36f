import { POINTS, type ChoiceTable } from './choice-table.ts';
import type { FitLesson } from './problem.ts';
import { votesOf } from './votes.ts';

/** By how much more the lessons have to bear out what a value would be told, in nats: where a person approves, each change is read. */
const LEAST_GAIN = { auto: 5, manual: 27 } as const;
/** Of few lessons it is so much of a nat for each. */
const LEAST_GAIN_PER_LESSON = 0.05;

/**
 * The values of which the new insights are worth writing: those that make the labels of the kept lessons clearly likelier. A lesson speaks
 * for the value that is right, and for the one that it would have gone to wrongly; a principal has one vote a value.
 */
export function movedValues(
  lessons: readonly FitLesson[],
  { values, before, after, approval }: { values: readonly string[]; before: ChoiceTable; after: ChoiceTable; approval: 'auto' | 'manual' },
): ReadonlySet<string> {
  const numbers = new Map(values.map((value, v) => [value, v]));
  const [was, is] = [scorer(values, before), scorer(values, after)];
  const gains = new Float64Array(values.length);
  const votes = votesOf(lessons);
  for (const { words, right, principal } of lessons) {
    const value = numbers.get(right);
    if (value === undefined) continue;
    const scores = was(words);
    const best = likeliest(scores);
    const gain = (logChance(is(words), value) - logChance(scores, value)) / votes.get(right)!.get(principal)!;
    gains[value]! += gain;
    if (best !== value) gains[best]! += gain;
  }
  const least = Math.min(LEAST_GAIN[approval], LEAST_GAIN_PER_LESSON * lessons.length);
  return new Set(values.filter((_, v) => gains[v]! > least));
}

/** Log-odds of the values where a request says some words. */
function scorer(values: readonly string[], { cues, base }: ChoiceTable): (words: readonly string[]) => Float64Array {
  const numbers = new Map(values.map((value, v) => [value, v]));
  const odds = new Map(
    [...cues].map(([word, byValue]) => [
      word,
      [...byValue].flatMap(([value, points]) => (numbers.has(value) ? [[numbers.get(value)!, points / POINTS] as const] : [])),
    ]),
  );
  return (words) => {
    const scores = Float64Array.from(values, (value) => (base.get(value) ?? 0) / POINTS);
    for (const word of words) for (const [v, one] of odds.get(word) ?? []) scores[v]! += one;
    return scores;
  };
}

function likeliest(scores: Float64Array): number {
  let best = 0;
  for (let v = 1; v < scores.length; v += 1) if (scores[v]! > scores[best]!) best = v;
  return best;
}

function logChance(scores: Float64Array, value: number): number {
  const most = scores[likeliest(scores)]!;
  let sum = 0;
  for (const score of scores) sum += Math.exp(score - most);
  return scores[value]! - most - Math.log(sum);
}
