import { phrasesOf } from '@dreamfold/core';
import type { Lesson } from './choice-learner.ts';
import { firstOfEach, supportOf, type Support, type Witness } from './quorum.ts';

/** Runs that are cited for a phrase. */
const MAX_WITNESSES = 6;

/** What the labelled decisions that a dream knows say of a phrase and a value. */
export interface PhraseCount extends Support {
  /** Decisions whose request says it, and those of them for which the value was right. */
  said: number;
  right: number;
  /** The part of the value among the votes of those who said it: a principal has one vote for each value. */
  share: number;
  /** The decisions for which it was right, one of each principal first. */
  witnesses: Witness[];
}

/** Counts phrases of one to three words over lessons. The work grows with the length of the requests that hold their first words. */
export function countPhrases(phrases: readonly string[], value: string, lessons: Iterable<Lesson>): Map<string, PhraseCount> {
  const tallies = new Map(phrases.map((phrase) => [phrase, { said: 0, votes: new Set<string>(), right: [] as Lesson[] }]));
  for (const lesson of lessons) {
    const plain = lesson.request.normalize('NFC').toLowerCase();
    const maybe = [...tallies].filter(([phrase]) => plain.includes(phrase.split(' ', 1)[0]!));
    if (maybe.length === 0) continue;
    const said = phrasesOf(lesson.request);
    for (const [phrase, tally] of maybe) {
      if (!said.has(phrase)) continue;
      tally.said += 1;
      tally.votes.add(JSON.stringify([lesson.right, lesson.principal]));
      if (lesson.right === value) tally.right.push(lesson);
    }
  }
  return new Map([...tallies].map(([phrase, { said, votes, right }]) => [phrase, counted({ said, votes: votes.size, right })]));
}

function counted({ said, votes, right }: { said: number; votes: number; right: readonly Lesson[] }): PhraseCount {
  const support = supportOf(right);
  return {
    said,
    right: right.length,
    share: support.principals / Math.max(1, votes),
    witnesses: firstOfEach(right)
      .slice(0, MAX_WITNESSES)
      .map(({ request: _request, options: _options, ...witness }) => witness),
    ...support,
  };
}
