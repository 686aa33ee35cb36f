import type { GuardReport } from '@dreamfold/events';
import { upperTail } from '../fit/binomial.ts';
import { fitChoices, type FitLesson } from '../fit/choice-fit.ts';
import { bestTold, tableOf, type ChoiceTable } from '../fit/choice-table.ts';
import { hasUnequalVotes, votesFor } from '../fit/votes.ts';

/** How often, in a store's whole life, the guard may let through what is no better than chance. */
const ALPHA = 0.01;
/** Level of the one-sided test by which a change is worse than what the store tells. */
const WORSE = 0.05;
const FOLDS = 4;

export interface ChangeOfField {
  tool: string;
  field: string;
  /** All that are kept, in the order in which they were labelled. */
  lessons: readonly FitLesson[];
  values: readonly string[];
  /** What the store tells now. */
  present: ChoiceTable;
  /** How many of the lessons were there when the store was written. */
  writtenFrom: number;
  /** Of the store's life, counted from 1: how often its lessons have been looked at. */
  look: number;
}

/**
 * Whether what the lessons bear out is better than nothing, as far as the lessons can tell: what is fitted to three quarters of the
 * principals is held against the decisions of the others. It has to win against the agent as it is and against the agent that knows the
 * base rates of the values, each by an exact one-sided McNemar test whose level shrinks with each look so that all looks of a store's life
 * together stay below one in a hundred; and it may not be worse than what the store tells. A principal has one vote a value.
 */
export function judgeChange(change: ChangeOfField): GuardReport {
  const { tool, field, lessons, look } = change;
  const alpha = ALPHA / (look * (look + 1));
  const votes = { own: new Votes(), rates: new Votes() };
  let known = 0;
  const ofFold = lessons.map(({ principal }) => foldOf(principal, FOLDS));
  for (let fold = 0; fold < FOLDS; fold += 1) {
    const learnt = fitted(change, (_, i) => ofFold[i] !== fold);
    for (const [i, lesson] of lessons.entries()) {
      if (ofFold[i] !== fold) continue;
      const { right, without, words } = lesson;
      const rates = learnt.withRates(without);
      const told = bestTold(learnt.table, words) ?? without ?? rates;
      if (without !== null) {
        known += 1;
        votes.own.count(lesson, { is: told === right, was: without === right });
      }
      votes.rates.count(lesson, { is: told === right, was: rates === right });
    }
  }
  const [own, rates, present] = [votes.own.result, votes.rates.result, besidePresent(change)];
  const isBetter = own.p < alpha && rates.p < alpha;
  const isWorse = upperTail(present.worse, { trials: present.better + present.worse, each: 0.5 }) < WORSE;
  const verdict = known === 0 ? 'blind' : isBetter && !isWorse ? 'apply' : 'abstain';
  return { tool, field, verdict, look, lessons: lessons.length, alpha, without_memory: own, base_rates: rates, present };
}

/**
 * How the lessons since the store was written come out with what is fitted to all before them and to those of half of the principals since:
 * the store has had the former too.
 */
function besidePresent(change: ChangeOfField): GuardReport['present'] {
  const { lessons, writtenFrom, present } = change;
  const votes = new Votes();
  const isNew = (i: number): boolean => i >= writtenFrom;
  if (present.cues.size === 0 && present.base.size === 0) return votes.result;
  for (const half of [0, 1]) {
    const isHeldOut = ({ principal }: FitLesson, i: number): boolean => isNew(i) && foldOf(principal, 2) === half;
    const { table, withRates } = fitted(change, (lesson, i) => !isHeldOut(lesson, i));
    for (const lesson of lessons.filter(isHeldOut)) {
      const { words, without, right } = lesson;
      const silent = without ?? withRates(null);
      const [is, was] = [bestTold(table, words) ?? silent, bestTold(present, words) ?? silent];
      votes.count(lesson, { is: is === right, was: was === right });
    }
  }
  return votes.result;
}

/** What some of the lessons bear out, as it would be told, and what an agent would choose that knows their base rates. */
function fitted(
  { lessons, values }: ChangeOfField,
  isTaken: (lesson: FitLesson, i: number) => boolean,
): { table: ChoiceTable; withRates: (own: string | null) => string | null } {
  const taken = lessons.filter(isTaken);
  const fit = fitChoices(taken, values);
  return { table: tableOf(fit, { withBase: hasUnequalVotes(taken) }), withRates: agentWithRates(taken) };
}

/** How much more an agent may trust its own choice than others of the same rate, in log-odds: not at all, a little, or whatever the rates. */
const TRUST = [0, 1, 2, 4, Infinity];

/** An agent that knows how often values are right, and trusts its own choice as far as served it best in these lessons. */
function agentWithRates(lessons: readonly FitLesson[]): (own: string | null) => string | null {
  const rates = [...votesFor(lessons)].map(([value, votes]) => [value, Math.log(votes)] as const);
  const chooses = (own: string | null, trust: number): string | null => {
    if (own !== null && trust === Infinity) return own;
    let best: string | null = null;
    let most = -Infinity;
    for (const [value, rate] of rates) {
      const score = rate + (value === own ? trust : 0);
      if (score > most) [best, most] = [value, score];
    }
    return best;
  };
  const known = lessons.filter(({ without }) => without !== null);
  const hits = TRUST.map((trust) => known.filter(({ without, right }) => chooses(without, trust) === right).length);
  const trust = TRUST[hits.indexOf(Math.max(...hits))]!;
  return (own) => chooses(own, trust);
}

/** The same for a principal on every machine: FNV-1a (Fowler, Noll and Vo). */
function foldOf(principal: string, folds: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < principal.length; i += 1) hash = Math.imul(hash ^ principal.charCodeAt(i), 0x01000193);
  return ((hash ^ (hash >>> 16)) >>> 0) % folds;
}

/**
 * One vote a principal and value, which is its first lesson. Were it the balance of all its lessons, whoever guesses differently each time
 * would win against whoever always guesses the same.
 */
class Votes {
  readonly #voted = new Map<string, Set<string>>();
  #better = 0;
  #worse = 0;

  count({ principal, right }: FitLesson, { is, was }: { is: boolean; was: boolean }): void {
    const ofValue = this.#voted.get(right) ?? new Set<string>();
    this.#voted.set(right, ofValue);
    if (ofValue.has(principal)) return;
    ofValue.add(principal);
    if (is && !was) this.#better += 1;
    if (was && !is) this.#worse += 1;
  }

  /** McNemar, Psychometrika 12 (1947), exact: the chance of so many better ones if neither side were better. */
  get result(): GuardReport['present'] {
    const [better, worse] = [this.#better, this.#worse];
    return { better, worse, p: upperTail(better, { trials: better + worse, each: 0.5 }) };
  }
}

/** How many better ones and no worse one would prove a change at this look. */
export function neededAtLook(look: number): number {
  return Math.floor(Math.log2((look * (look + 1)) / ALPHA)) + 1;
}
