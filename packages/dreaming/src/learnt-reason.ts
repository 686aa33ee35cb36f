import type { ChoiceInsight } from '@dreamfold/events';
import type { Witness } from './choice-learner.ts';
import { supportText } from './quorum.ts';

/** References in one patch, at most. */
const MAX_EVIDENCE = 500;
/** Cues that a reason names. */
const NAMED_CUES = 3;

/** Why a choice is proposed that the lessons bear out. */
export function learntReason({ cues, field, value, support }: ChoiceInsight): string {
  const named = cues.slice(0, NAMED_CUES).map(({ phrase }) => `"${phrase}"`);
  const more = cues.length - named.length;
  const said = more > 0 ? `${named.join(', ')} or ${more} more cues` : named.join(' or ');
  return `Where requests said ${said}, the right ${field} was ${value}: each in at least ${supportText(support)}.`;
}

/** The events that bear out what is learnt, each once. */
export function learntEvidence(witnesses: ReadonlyMap<string, readonly Witness[]>): string[] {
  return [...new Set([...witnesses.values()].flat().flatMap(({ evidence }) => evidence))].slice(0, MAX_EVIDENCE);
}
