import type { ChoiceInsight } from '@dreamfold/events';
import { isLabelled, saysOneOf, tallyOf, type AskedDecision, type Question, type Tally } from './questions.ts';

/** A choice that is suggested; what supports it is counted, not claimed. */
export interface ChoiceProposal extends Pick<ChoiceInsight, 'tool' | 'field' | 'value' | 'cues'> {
  reason: string;
  /** Events that bear it out, as `stream#seq`. */
  evidence: string[];
}

export const QUORUM = { sessions: 3, principals: 2 };
/** A cue speaks for one value: four votes of five. */
const MIN_SHARE = 0.8;
/** A phrase in more than this part of all requests tells nothing, whatever the language. */
const COMMON_SPREAD = 0.7;
const MAX_CUES = 6;
/** Each decision is cited with its feedback: two references. */
const MAX_CITED_DECISIONS = 500;

interface Cue {
  phrase: string;
  value: string;
  strength: number;
  /** Decisions for which the value was right. */
  bearing: readonly AskedDecision[];
}

/** How large a share makes a value stand out: when most requests are for one value anyhow, a cue must do better than that. */
export function neededShare(question: Question, value: string): number {
  const base = tallyOf(question.decisions.filter(isLabelled), value).share;
  return Math.max(MIN_SHARE, (1 + base) / 2);
}

export function hasQuorum({ sessions, principals }: Tally): boolean {
  return sessions >= QUORUM.sessions && principals >= QUORUM.principals;
}

/**
 * The statistical proposer of choices: finds the phrases that go with one value of the field in labelled decisions.
 * Unlabelled decisions only tell how common a phrase is. Work is near-linear in the length of the requests.
 * @param isKnown tells whether the store names the value for a cue already
 * @returns at most one proposal a value, in the order of the values, with the cues that are new
 */
export function proposeChoices(question: Question, isKnown: (value: string, cue: string) => boolean): ChoiceProposal[] {
  const byValue = Map.groupBy(cuesOf(question), ({ value }) => value);
  return question.options.flatMap((value) => {
    const cues = fewBest(byValue.get(value) ?? []).filter((cue) => !isKnown(value, cue));
    return cues.length === 0 ? [] : [proposal(question, value, cues.sort())];
  });
}

function proposal(question: Question, value: string, cues: string[]): ChoiceProposal {
  const { tool, field } = question;
  const bearing = question.decisions.filter((decision) => decision.right === value && saysOneOf(decision, cues));
  const { sessions, principals } = tallyOf(bearing, value);
  const said = cues.map((cue) => `"${cue}"`).join(' or ');
  const reason = `In ${sessions} sessions of ${principals} principals whose request said ${said}, the right ${field} was ${value}.`;
  const evidence = bearing.slice(0, MAX_CITED_DECISIONS).flatMap((decision) => decision.evidence);
  return { tool, field, value, cues, reason, evidence };
}

function cuesOf(question: Question): Cue[] {
  const saying = new Map<string, AskedDecision[]>();
  for (const decision of question.decisions) {
    for (const phrase of decision.phrases) {
      const list = saying.get(phrase);
      if (list === undefined) saying.set(phrase, [decision]);
      else list.push(decision);
    }
  }
  const common = commonPhrases(question, saying);
  const needed = new Map(question.options.map((value) => [value, neededShare(question, value)]));
  return [...saying].flatMap(([phrase, decisions]) => {
    if (decisions.length < QUORUM.sessions) return [];
    const words = phrase.split(' ');
    if (common.has(phrase) || common.has(words[0]!) || common.has(words.at(-1)!)) return [];
    const labelled = decisions.filter(isLabelled);
    return [...new Set(labelled.map(({ right }) => right!))].flatMap((value) => {
      const tally = tallyOf(labelled, value);
      if (!hasQuorum(tally) || tally.share < needed.get(value)!) return [];
      // Among all requests, labelled or not, that say it: a phrase that others use too is a weaker cue.
      const { share } = tallyOf(decisions, value);
      return [{ phrase, value, strength: tally.principals * share, bearing: labelled.filter(({ right }) => right === value) }];
    });
  });
}

/** Stop-words, and phrases as common as they. Spread is counted with one vote a principal, as everything is. */
function commonPhrases(question: Question, saying: ReadonlyMap<string, readonly AskedDecision[]>): Set<string> {
  const asked = new Map<string, number>();
  for (const { principal } of question.decisions) asked.set(principal, (asked.get(principal) ?? 0) + 1);
  const spread = (decisions: readonly AskedDecision[]): number =>
    decisions.reduce((votes, { principal }) => votes + 1 / asked.get(principal)!, 0) / asked.size;
  return new Set([...saying].filter(([, decisions]) => spread(decisions) > COMMON_SPREAD).map(([phrase]) => phrase));
}

/** The strongest phrases, each of which adds decisions that no stronger one explains. */
function fewBest(cues: readonly Cue[]): string[] {
  const words = (cue: Cue): number => cue.phrase.split(' ').length;
  const ranked = cues.toSorted((a, b) => b.strength - a.strength || words(a) - words(b) || (a.phrase < b.phrase ? -1 : 1));
  const explained = new Set<AskedDecision>();
  const best: string[] = [];
  for (const { phrase, bearing } of ranked) {
    if (best.length === MAX_CUES) break;
    if (bearing.every((decision) => explained.has(decision))) continue;
    for (const decision of bearing) explained.add(decision);
    best.push(phrase);
  }
  return best;
}
