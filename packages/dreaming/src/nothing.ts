import type { GuardReport } from '@dreamfold/events';
import { guardText } from './gates/guard.ts';
import { supportOfPair, type ChoiceLearner } from './learn/choice-learner.ts';
import type { Knowledge } from './learn/knowledge.ts';
import { QUORUM, hasQuorum, supportText, type Support } from './learn/quorum.ts';

/** Why a dream looked at nothing but what was new, and when one will look at all that is known. */
export function tooLittleNew({ growth }: Knowledge): string {
  const { now, dueAt } = growth;
  return `Too little is new since the last look at all that is known: ${now} labelled decisions, and the next look is due at ${dueAt}.`;
}

const NEEDED = `a word takes ${QUORUM.sessions} sessions of ${QUORUM.principals} principals`;

/**
 * Why there is nothing to propose in what is known, for whoever expected something: `decisions` are those of the sessions that were
 * reviewed, `stands` says whether there is something in the store already, or waiting for it, and `guard` is what has held something back.
 */
export function whyNothing(
  knowledge: Knowledge,
  { decisions, stands, guard = [] }: { decisions: number; stands: boolean; guard?: readonly GuardReport[] },
): string {
  const unproved = guard.find(({ verdict }) => verdict === 'abstain');
  if (unproved !== undefined) return `${unproved.field} of ${unproved.tool}: ${guardText(unproved)}`;
  const learners = [...knowledge.learners.values()].filter(({ lessons }) => lessons > 0);
  if (stands && learners.length > 0) return 'What is known says nothing new: the store holds it, or somebody has decided on it.';
  const learner = learners.reduce<ChoiceLearner | null>((most, one) => (most === null || one.lessons > most.lessons ? one : most), null);
  if (learner === null) {
    return decisions === 0
      ? 'No session holds a decision: a call of a tool in which a field takes one of a few named values.'
      : 'Of no decision anybody has said what would have been right.';
  }
  const { tool, field, lessons, voters } = learner;
  const about = `${lessons} labelled ${lessons === 1 ? 'decision' : 'decisions'} on ${field} of ${tool}`;
  const principals = new Set([...voters.values()].flatMap((names) => [...names])).size;
  if (lessons < QUORUM.sessions || principals < QUORUM.principals) {
    return `${about}, of ${principals} ${principals === 1 ? 'principal' : 'principals'}: ${NEEDED}.`;
  }
  if (voters.size === 1) return `${about}: all right answers are ${JSON.stringify([...voters.keys()][0])}, so there is nothing to compare.`;
  const nearest = nearestTo(learner);
  if (hasQuorum(nearest)) return `${about}: no word goes with one value clearly more than with others.`;
  return `${about}: ${NEEDED} for one value, and "${nearest.word}" has ${supportText(nearest)} for ${JSON.stringify(nearest.value)}.`;
}

/** The pair that has most principals, then most sessions. */
function nearestTo({ pairs }: ChoiceLearner): Support & { word: string; value: string } {
  let best = { word: '', value: '', sessions: 0, principals: 0 };
  for (const [word, byValue] of pairs) {
    for (const [value, pair] of byValue) {
      const now = { word, value, ...supportOfPair(pair) };
      if (now.principals > best.principals || (now.principals === best.principals && now.sessions > best.sessions)) best = now;
    }
  }
  return best;
}
