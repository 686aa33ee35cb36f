import { getOr } from './get-or.ts';
import type { FitLesson } from './problem.ts';

/** Votes are unequal if they differ by so many standard deviations more than equal ones would: by chance one time in 100. */
const MIN_DEVIATIONS = 2.33;

/** How many lessons of each value each principal has. */
export function votesOf(lessons: readonly FitLesson[]): Map<string, Map<string, number>> {
  const votes = new Map<string, Map<string, number>>();
  for (const { principal, right } of lessons) {
    const ofValue = getOr(votes, right, () => new Map<string, number>());
    ofValue.set(principal, (ofValue.get(principal) ?? 0) + 1);
  }
  return votes;
}

/** How many principals each value was right for. */
export function votesFor(lessons: readonly FitLesson[]): Map<string, number> {
  return new Map([...votesOf(lessons)].map(([value, lessonsOf]) => [value, lessonsOf.size]));
}

/** Whether some values are right more often than others: each principal has one vote a value. */
export function hasUnequalVotes(lessons: readonly FitLesson[]): boolean {
  return areUnequal([...votesFor(lessons).values()]);
}

/** The chi-square test of equal votes, whose statistic is taken to a normal deviate by Wilson and Hilferty (PNAS 17, 1931). */
export function areUnequal(votes: readonly number[]): boolean {
  const freedom = votes.length - 1;
  if (freedom < 1) return false;
  const expected = votes.reduce((sum, size) => sum + size, 0) / votes.length;
  const statistic = votes.reduce((sum, size) => sum + (size - expected) ** 2 / expected, 0);
  const spread = 2 / (9 * freedom);
  return (Math.cbrt(statistic / freedom) - (1 - spread)) / Math.sqrt(spread) > MIN_DEVIATIONS;
}
