import { phrasesOf } from '@dreamfold/core';
import { fitChoices, type ChoiceFit, type FitLesson } from './fit/choice-fit.ts';
import { getOr } from './fit/get-or.ts';
import { hasQuorum, type Support, type Witness } from './quorum.ts';

/** The lessons that are kept of a cue as evidence: enough to show the quorum. */
const MAX_WITNESSES = 3;

export interface Lesson extends Witness {
  request: string;
  options: readonly string[];
  /** What the agent chose where it was given no insights; null where it was given some. */
  without: string | null;
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
  /** The lesson at which it was last seen. */
  last: number;
}

/**
 * All that is known about the choice of one field of one tool: its labelled decisions, and what was seen of each word with each right
 * value. Derived from the log: the same lessons in the same order give the same again.
 */
export interface ChoiceLearner {
  tool: string;
  field: string;
  /** Whose labels it is taught: those of customers on their own sessions are kept apart from all others. */
  by: LabelledBy;
  options: Set<string>;
  lessons: number;
  /** For the fit, in their order. */
  taught: FitLesson[];
  /** Of all that was taught; null since something was. */
  fit: ChoiceFit | null;
  /** Principals a value was right for: each has one vote a value. */
  voters: Map<string, Set<string>>;
  /** By word, then by value. */
  pairs: Map<string, Map<string, Pair>>;
  /** How many lessons the last proposal was made from, and whether the guard let it through, where it holds anything back. */
  proposedFrom: number;
  isProved: boolean;
  /** A lesson was corrected since the last proposal. */
  corrected: boolean;
}

export type LabelledBy = 'trusted' | 'customers';

export function newLearner(tool: string, field: string, by: LabelledBy = 'trusted'): ChoiceLearner {
  const counts = { lessons: 0, proposedFrom: 0, isProved: true, corrected: false };
  return { tool, field, by, options: new Set(), taught: [], fit: null, voters: new Map(), pairs: new Map(), ...counts };
}

export interface Taught {
  /** How many words it has. */
  words: number;
  /** False when its principal had taught every word of it for this value before. */
  isNew: boolean;
}

/** Takes in one labelled decision. Changes the learner in place. */
export function teach(learner: ChoiceLearner, lesson: Lesson): Taught {
  const { principal, right, session, without } = lesson;
  for (const option of lesson.options) learner.options.add(option);
  const words = [...phrasesOf(lesson.request, 1)];
  learner.taught.push({ words, right, session, principal, without });
  learner.fit = null;
  getOr(learner.voters, right, () => new Set()).add(principal);
  let isNew = false;
  for (const word of words) {
    const byValue = getOr(learner.pairs, word, () => new Map<string, Pair>());
    const pair = getOr(byValue, right, () => newPair(learner));
    isNew ||= !pair.principals.has(principal);
    witness(pair, lesson);
    pair.last = learner.lessons;
  }
  learner.lessons += 1;
  return { words: words.length, isNew };
}

/** What the words of requests say of the values, as all that was taught bears it out. */
export function fitOf(learner: ChoiceLearner): ChoiceFit {
  return (learner.fit ??= fitChoices(learner.taught, [...learner.options]));
}

export function supportOfPair({ sessions, principals }: Pair): Support {
  return { sessions: sessions.size, principals: principals.size };
}

/** Lessons that show what stands behind a pair: those of authenticated principals when they make a quorum by themselves. */
export function witnessesOf({ authenticated, witnesses }: Pair): readonly Witness[] {
  return hasQuorum(authenticated) ? witnesses.authenticated : [...witnesses.authenticated, ...witnesses.claimed];
}

function newPair(learner: ChoiceLearner): Pair {
  return {
    sessions: new Set(),
    principals: new Map(),
    authenticated: { sessions: 0, principals: 0 },
    witnesses: { authenticated: [], claimed: [] },
    last: learner.lessons,
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
