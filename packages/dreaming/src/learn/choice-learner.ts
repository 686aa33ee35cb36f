import { phrasesOf } from '@dreamfold/core';
import { hasQuorum, type Support, type Witness } from './quorum.ts';

/** How far one lesson moves a weight, in log-odds. */
const RATE = 0.6;
/** The lessons that are kept of a cue as evidence: enough to show the quorum. */
const MAX_WITNESSES = 3;

export interface Lesson extends Witness {
  request: string;
  options: readonly string[];
}

/** What was seen of one word together with one right value. */
export interface Pair {
  sessions: Set<string>;
  /** True for those that somebody has authenticated. */
  principals: Map<string, boolean>;
  /** How many of them are, and how many sessions they had. */
  authenticated: { sessions: number; principals: number };
  /** Of each kind three sessions of two principals, once there are so many. */
  witnesses: { authenticated: Witness[]; claimed: Witness[] };
  weight: number;
  /** Sum of the weight over the lessons since the pair was first seen, settled up to `settled`. */
  sum: number;
  since: number;
  settled: number;
  /** The lesson at which it was last seen. */
  last: number;
}

/**
 * All that is known about the choice of one field of one tool: an averaged logistic regression over the words of the
 * requests, one pass, in which each principal teaches a word for a value once. Derived from the log: the same lessons in
 * the same order give the same again. Averaged weights are those of Freund and Schapire, Large Margin Classification
 * Using the Perceptron Algorithm (1999).
 */
export interface ChoiceLearner {
  tool: string;
  field: string;
  /** Whose labels it is taught: those of customers on their own sessions are kept apart from all others. */
  by: LabelledBy;
  options: Set<string>;
  lessons: number;
  /** Principals a value was right for: each has one vote a value. */
  voters: Map<string, Set<string>>;
  /** By word, then by value. */
  pairs: Map<string, Map<string, Pair>>;
  pairCount: number;
  wordsSinceProposal: number;
  /** A lesson was corrected since the last proposal. */
  corrected: boolean;
}

export type LabelledBy = 'trusted' | 'customers';

export function newLearner(tool: string, field: string, by: LabelledBy = 'trusted'): ChoiceLearner {
  const counts = { lessons: 0, pairCount: 0, wordsSinceProposal: 0, corrected: false };
  return { tool, field, by, options: new Set(), voters: new Map(), pairs: new Map(), ...counts };
}

export interface Taught {
  /** How many weights were looked at: words times the values that each was seen with. */
  updates: number;
  /** False when its principal had taught every word of it for this value before. */
  isNew: boolean;
}

/** Takes in one labelled decision. Changes the learner in place. */
export function teach(learner: ChoiceLearner, lesson: Lesson): Taught {
  const { principal, right } = lesson;
  for (const option of lesson.options) learner.options.add(option);
  const words = [...phrasesOf(lesson.request, 1)];
  const now = learner.lessons;
  const chance = chancesOf(learner, words);
  getOr(learner.voters, right, () => new Set()).add(principal);
  let updates = 0;
  let isNew = false;
  for (const word of words) {
    const byValue = getOr(learner.pairs, word, () => new Map<string, Pair>());
    const pair = getOr(byValue, right, () => newPair(learner));
    const fresh = !pair.principals.has(principal);
    witness(pair, lesson);
    pair.last = now;
    updates += byValue.size;
    if (!fresh) continue;
    isNew = true;
    for (const [value, other] of byValue) {
      other.sum += other.weight * (now - other.settled);
      other.settled = now;
      other.weight += RATE * ((value === right ? 1 : 0) - chance.get(value)!);
    }
  }
  learner.lessons += 1;
  learner.wordsSinceProposal += words.length;
  return { updates, isNew };
}

export function supportOfPair({ sessions, principals }: Pair): Support {
  return { sessions: sessions.size, principals: principals.size };
}

/** Lessons that show what stands behind a pair: those of authenticated principals when they make a quorum by themselves. */
export function witnessesOf({ authenticated, witnesses }: Pair): readonly Witness[] {
  return hasQuorum(authenticated) ? witnesses.authenticated : [...witnesses.authenticated, ...witnesses.claimed];
}

/** The pair's weight, averaged over all lessons since it was first seen: what came early and was outvoted since counts less. */
export function meanWeight({ lessons }: ChoiceLearner, pair: Pair): number {
  return (pair.sum + pair.weight * (lessons - pair.settled)) / Math.max(1, lessons - pair.since);
}

function newPair(learner: ChoiceLearner): Pair {
  learner.pairCount += 1;
  const now = learner.lessons;
  return {
    sessions: new Set(),
    principals: new Map(),
    authenticated: { sessions: 0, principals: 0 },
    witnesses: { authenticated: [], claimed: [] },
    weight: 0,
    sum: 0,
    since: now,
    settled: now,
    last: now,
  };
}

function witness(pair: Pair, { session, principal, authenticated, labeller, right, evidence }: Lesson): void {
  const kept = pair.witnesses[authenticated ? 'authenticated' : 'claimed'];
  const another = kept.some((known) => known.principal !== principal);
  const wanted = kept.length < MAX_WITNESSES - 1 || (kept.length < MAX_WITNESSES && another);
  const isNew = !pair.sessions.has(session);
  if (wanted && isNew) kept.push({ session, principal, authenticated, labeller, right, evidence });
  pair.sessions.add(session);
  if (authenticated && isNew) pair.authenticated.sessions += 1;
  if (authenticated && pair.principals.get(principal) !== true) pair.authenticated.principals += 1;
  pair.principals.set(principal, authenticated || pair.principals.get(principal) === true);
}

function chancesOf(learner: ChoiceLearner, words: readonly string[]): Map<string, number> {
  const scores = new Map([...learner.options].map((value) => [value, 0]));
  for (const word of words) {
    for (const [value, { weight }] of learner.pairs.get(word) ?? []) scores.set(value, scores.get(value)! + weight);
  }
  const most = Math.max(...scores.values());
  let sum = 0;
  for (const [value, score] of scores) {
    const raised = Math.exp(score - most);
    scores.set(value, raised);
    sum += raised;
  }
  for (const [value, raised] of scores) scores.set(value, raised / sum);
  return scores;
}

function getOr<K, T>(map: Map<K, T>, key: K, make: () => T): T {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
