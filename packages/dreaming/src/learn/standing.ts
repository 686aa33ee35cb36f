import type { ChoiceInsight, Cue } from '@dreamfold/events';
import { supportOfPair, type ChoiceLearner, type Pair } from './choice-learner.ts';
import { KnownPrincipals } from './known-principals.ts';
import { hasQuorum } from './quorum.ts';

/**
 * What keeps a cue from being applied without a person, where a store applies changes by itself: each kind is a proposal of its own,
 * so that what waits holds up nothing else.
 *
 * - `plain`: nothing does.
 * - `claimed`: it has no quorum of principals that somebody has authenticated.
 * - `customers`: nobody but customers says so, of their own sessions.
 * - `turn`: agents are told another value where it is said.
 */
export type Standing = 'plain' | 'claimed' | 'customers' | 'turn';

/** A turn that so many known principals say is how the world has turned. */
const KNOWN_PRINCIPALS = 5;
/** One unit of log-odds. */
const CLEAR_POINTS = 10;

/** A cue of a value that the lessons bear out. */
export interface FoundCue {
  learner: ChoiceLearner;
  value: string;
  cue: Cue;
  pair: Pair;
  standing: Standing;
  /** Ids of the insights that tell another value. */
  turns: readonly string[];
}

/** A cue of an insight that is in the store. */
export interface ToldCue {
  insight: ChoiceInsight;
  cue: Cue;
  /** Of the insight, when the learner found it; null for what somebody wrote or suggested. */
  standing: Standing | null;
}

/** What the store tells agents, and whether it applies changes by itself. */
export interface Told {
  auto: boolean;
  of: (learner: Pick<ChoiceLearner, 'tool' | 'field'>, phrase: string) => readonly ToldCue[];
}

export const NOTHING_TOLD: Told = { auto: false, of: () => [] };

/**
 * Says of each cue how it stands. A cue that turns what is told is held back from the others, and what is told is kept as it is, until
 * a person has decided; in a store where a person decides on everything, nothing has to be kept apart.
 */
export function withStanding(found: readonly FoundCue[], told: Told): FoundCue[] {
  const known = new Map<ChoiceLearner, KnownPrincipals>();
  const byWord = Map.groupBy(found, ({ learner: { tool, field }, cue }) => JSON.stringify([tool, field, cue.phrase]));
  return [...byWord.values()].flatMap((same) => {
    const { learner, cue } = same[0]!;
    const before = told.of(learner, cue.phrase).filter((one) => stillStands(one, learner));
    const strongest = before.toSorted((a, b) => b.cue.points - a.cue.points)[0];
    if (strongest === undefined) return told.auto ? same.map(aloneIn) : same;
    const now = same.find(({ value }) => value === strongest.insight.value);
    const former = strongest.insight.value;
    if (!known.has(learner)) known.set(learner, new KnownPrincipals(learner, told));
    const isAgreed = ({ pair, value }: FoundCue): boolean =>
      known.get(learner)!.among(pair.principals.keys(), [value, former]) >= KNOWN_PRINCIPALS;
    const judged = same.map((one) => {
      const isRival =
        isReversal(strongest.cue.points, { now: now?.cue.points ?? 0, other: one.cue.points }) &&
        before.every(({ insight }) => insight.value !== one.value) &&
        !isAgreed(one);
      // What somebody wrote does not move with the labels, so nothing learnt goes against it unasked.
      const against = before.filter(({ insight, standing }) => insight.value !== one.value && (isRival || standing === null));
      const turns = against.map(({ insight }) => insight.id);
      const { standing } = told.auto ? aloneIn(one) : one;
      return { ...one, turns, standing: told.auto && turns.length > 0 && standing !== 'customers' ? ('turn' as const) : standing };
    });
    const isTurned = judged.some(({ standing }) => standing === 'turn');
    return isTurned && now === undefined ? [...judged, ...keptAsTold(strongest, learner)] : judged;
  });
}

/** What was told clearly, and another value would now be told clearly more: what else moves is how learning goes. */
function isReversal(told: number, { now, other }: { now: number; other: number }): boolean {
  return told >= CLEAR_POINTS && other - now >= CLEAR_POINTS;
}

/** Where labels were corrected, nothing may bear out any more what is told: whatever replaces it then turns nothing. */
function stillStands({ insight, cue, standing }: ToldCue, { pairs }: ChoiceLearner): boolean {
  if (standing === null || standing === 'customers') return true;
  const pair = pairs.get(cue.phrase)?.get(insight.value);
  return pair !== undefined && hasQuorum(supportOfPair(pair));
}

function aloneIn(one: FoundCue): FoundCue {
  const isTrusted = one.standing !== 'plain' || hasQuorum(one.pair.authenticated);
  return isTrusted ? one : { ...one, standing: 'claimed' };
}

function keptAsTold({ insight, cue, standing }: ToldCue, learner: ChoiceLearner): FoundCue[] {
  const pair = learner.pairs.get(cue.phrase)?.get(insight.value);
  if (pair === undefined || standing === null) return [];
  return [{ learner, value: insight.value, cue, pair, standing, turns: [] }];
}
