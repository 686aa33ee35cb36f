import { upperTail } from './binomial.ts';
import { hasQuorum } from '../quorum.ts';
import { getOr } from './get-or.ts';
import { votesOf } from './votes.ts';

/** A word that this part of all votes says is common. */
const COMMON = 0.2;
/** A common word speaks for a value if its sayers mean that value so often as by chance in one case of sixteen; in one of ten if all do. */
const CHANCE = { most: 0.0625, all: 0.1 } as const;

/** A labelled decision, as a fit sees it. */
export interface FitLesson {
  /** Each word of the request once. */
  words: readonly string[];
  right: string;
  session: string;
  principal: string;
  /** What the agent chose where it was given no insights; null where it was given some. */
  without: string | null;
}

/** Words and values by number, and which words may speak for which values: what goes into a fit. */
export interface Problem {
  words: readonly string[];
  /** The pairs of word `w` are those from `pairsFrom[w]` up to `pairsFrom[w + 1]`. */
  pairsFrom: Int32Array;
  pairValue: Int32Array;
  rows: readonly Row[];
}

interface Row {
  words: Int32Array;
  right: number;
  /** What the agent chose by itself, -1 where that is not known. */
  without: number;
  /** One a principal and value, in equal parts to all its lessons. */
  vote: number;
}

/** Who said a word where a value was right. */
interface Sayers {
  sessions: Set<string>;
  principals: Set<string>;
}

/** @param values that may be right: lessons of others are left out */
export function problemOf(lessons: readonly FitLesson[], values: readonly string[]): Problem {
  const numbers = new Map(values.map((value, v) => [value, v]));
  const known = lessons.filter(({ right }) => numbers.has(right));
  const votes = votesOf(known);
  const { words, wordNumbers, pairsFrom, pairValue } = pairsOf(known, { numbers, votes });
  const rows = known.map(({ words: said, right, principal, without }) => ({
    words: Int32Array.from(said.flatMap((word) => wordNumbers.get(word) ?? [])),
    right: numbers.get(right)!,
    without: without === null ? -1 : (numbers.get(without) ?? -1),
    vote: 1 / votes.get(right)!.get(principal)!,
  }));
  return { words, pairsFrom, pairValue, rows };
}

function pairsOf(
  lessons: readonly FitLesson[],
  { numbers, votes: voters }: { numbers: ReadonlyMap<string, number>; votes: ReadonlyMap<string, ReadonlyMap<string, number>> },
): Pick<Problem, 'words' | 'pairsFrom' | 'pairValue'> & { wordNumbers: ReadonlyMap<string, number> } {
  const seen = new Map<string, Map<number, Sayers>>();
  for (const { words, right, session, principal } of lessons) {
    const value = numbers.get(right)!;
    for (const word of words) {
      const byValue = getOr(seen, word, () => new Map<number, Sayers>());
      const pair = getOr(byValue, value, () => ({ sessions: new Set<string>(), principals: new Set<string>() }));
      pair.sessions.add(session);
      pair.principals.add(principal);
    }
  }
  const votesFor = [...numbers.keys()].map((value) => voters.get(value)?.size ?? 0);
  const votes = votesFor.reduce((sum, n) => sum + n, 0);
  const words: string[] = [];
  const wordNumbers = new Map<string, number>();
  const pairsFrom: number[] = [0];
  const pairValue: number[] = [];
  for (const [word, byValue] of seen) {
    const said = [...byValue.values()].reduce((sum, { principals }) => sum + principals.size, 0);
    const spoken = [...byValue].filter(
      ([value, { sessions, principals }]) =>
        hasQuorum({ sessions: sessions.size, principals: principals.size }) &&
        isTelling(principals.size, { said, votes, share: votesFor[value]! / votes }),
    );
    if (spoken.length === 0) continue;
    wordNumbers.set(word, words.length);
    words.push(word);
    pairValue.push(...spoken.map(([value]) => value));
    pairsFrom.push(pairValue.length);
  }
  return { words, wordNumbers, pairsFrom: Int32Array.from(pairsFrom), pairValue: Int32Array.from(pairValue) };
}

/**
 * Whether a word may speak for a value, of whose votes so many said it. What is said everywhere has to go with the value oftener than by
 * chance, or it would follow the base rates; of a rare word the fit finds out by itself.
 */
function isTelling(own: number, { said, votes, share }: { said: number; votes: number; share: number }): boolean {
  if (said < COMMON * votes) return true;
  // Lancaster's mid-p (JASA 56, 1961): half of what is as likely counts, which is fair to few votes.
  const tail = (least: number): number => upperTail(least, { trials: said, each: share });
  return (tail(own) + tail(own + 1)) / 2 <= CHANCE[own === said ? 'all' : 'most'];
}
