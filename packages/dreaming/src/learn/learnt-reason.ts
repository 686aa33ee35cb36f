import type { BaseRateInsight, ChoiceInsight, RecoveryInsight } from '@dreamfold/events';
import { supportText, type Witness } from './quorum.ts';

/** References in one patch, at most. */
const MAX_EVIDENCE = 500;
/** Cues that a reason names. */
const NAMED_CUES = 3;

/** How many of the principals that said a cue nobody has authenticated. */
export interface ClaimedSupport {
  phrase: string;
  claimed: number;
  principals: number;
}

/** What was heard of the cues of a choice, besides what bears it out. */
export interface Heard {
  /** The cue of which most principals are only claimed; null when all are authenticated. */
  claimed?: ClaimedSupport | null;
  /** How many labelled sessions said a cue, whatever was right in them. */
  said?: ReadonlyMap<string, number>;
}

/** Why a choice is proposed that the lessons bear out. */
export function learntReason({ cues, field, value, support }: ChoiceInsight, { claimed = null, said: labelled }: Heard = {}): string {
  const named = cues.slice(0, NAMED_CUES).map(({ phrase, sessions }, i) => {
    const all = labelled?.get(phrase);
    return all === undefined ? `"${phrase}"` : `"${phrase}" (${sessions} of ${all}${i === 0 ? ' labelled sessions' : ''})`;
  });
  const more = cues.length - named.length;
  const said = more > 0 ? `${named.join(', ')} or ${more} more cues` : named.join(' or ');
  const unknown =
    claimed === null || !cues.some(({ phrase }) => phrase === claimed.phrase)
      ? ''
      : ` Of the ${claimed.principals} principals that said "${claimed.phrase}" ${claimed.claimed} are only claimed.`;
  return `Where requests said ${said}, the right ${field} was ${value}: each in at least ${supportText(support)}.${unknown}`;
}

/** Why base rates are proposed. */
export function baseRateReason({ field, values, support }: BaseRateInsight): string {
  const named = values.slice(0, NAMED_CUES).map(({ value }) => value);
  return `Of ${supportText(support)} the right ${field} was most often ${named.join(', ')}, whatever the request said.`;
}

/** Why a recovery is proposed: what runs did, and not what was right. */
export function recoveryReason({ tool, next, support }: Pick<RecoveryInsight, 'tool' | 'next' | 'support'>): string {
  const step = next === 'respond' ? 'with a message' : `with ${next}`;
  return `After this error of ${tool}, ${supportText(support)} went on ${step}. Whether that was right, nobody has said.`;
}

/** The events that bear out what is learnt, each once. */
export function learntEvidence(witnesses: ReadonlyMap<string, readonly Witness[]>): string[] {
  return [...new Set([...witnesses.values()].flat().flatMap(({ evidence }) => evidence))].slice(0, MAX_EVIDENCE);
}
