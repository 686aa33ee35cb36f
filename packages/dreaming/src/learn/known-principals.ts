import type { ChoiceLearner } from './choice-learner.ts';
import type { Told } from './standing.ts';

/** A principal is known by so many lessons on other values, … */
const LESSONS = 5;
/** … of which the store says more than this part as they do. */
const AGREED = 0.5;

/** Lessons of a principal on one value, and those among them on which the store tells most for the same value. */
interface Count {
  lessons: number;
  agreed: number;
}

/**
 * Who of the principals has taught so much else, in agreement with what is told, that a turn of theirs is the world's and not an attack:
 * whoever is new, or known for these values alone, is not among them.
 */
export class KnownPrincipals {
  readonly #learner: ChoiceLearner;
  readonly #told: Told;
  /** By principal, then by value; counted when somebody asks. */
  #counts: Map<string, Map<string, Count>> | null = null;

  constructor(learner: ChoiceLearner, told: Told) {
    this.#learner = learner;
    this.#told = told;
  }

  /** How many of these principals are known by their lessons on other values than these. */
  among(principals: Iterable<string>, values: readonly string[]): number {
    this.#counts ??= this.#count();
    let known = 0;
    for (const principal of principals) {
      let [lessons, agreed] = [0, 0];
      for (const [value, count] of this.#counts.get(principal) ?? []) {
        if (values.includes(value)) continue;
        lessons += count.lessons;
        agreed += count.agreed;
      }
      if (lessons >= LESSONS && agreed > AGREED * lessons) known += 1;
    }
    return known;
  }

  #count(): Map<string, Map<string, Count>> {
    const counts = new Map<string, Map<string, Count>>();
    for (const { principal, right, words } of this.#learner.taught) {
      const byValue = counts.get(principal) ?? new Map<string, Count>();
      const { lessons, agreed } = byValue.get(right) ?? { lessons: 0, agreed: 0 };
      byValue.set(right, { lessons: lessons + 1, agreed: agreed + (this.#tells(words) === right ? 1 : 0) });
      counts.set(principal, byValue);
    }
    return counts;
  }

  /** The value that most is told for where a request says these words; null where nothing is. */
  #tells(words: readonly string[]): string | null {
    const sums = new Map<string, number>();
    for (const word of words)
      for (const { insight, cue } of this.#told.of(this.#learner, word))
        sums.set(insight.value, (sums.get(insight.value) ?? 0) + cue.points);
    let best: string | null = null;
    for (const [value, points] of sums) if (best === null || points > sums.get(best)!) best = value;
    return best;
  }
}
