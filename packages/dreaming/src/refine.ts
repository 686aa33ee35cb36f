import type { Sha256 } from '@dreamfold/core';
import type { Insight } from '@dreamfold/events';
import type { Candidate } from './gates/candidate.ts';
import type { Knowledge } from './knowledge.ts';
import { pairsOf, proposeChoices, type ChoiceDraft } from './propose-choices.ts';
import { supportText } from './quorum.ts';
import type { Told } from './standing.ts';
import { proposeRecoveries, type RecoveryDraft } from './recoveries.ts';

/** References in one patch, at most. */
const MAX_EVIDENCE = 500;
/** Cues that a reason names. */
const NAMED_CUES = 3;

export type Found = Omit<Candidate, 'text'> & { finding: Insight };
const NO_FAULTS = { missing: [], unlabelled: [], stray: [] };

/** Everything that the knowledge bears out now, whether the store has it or not. */
export function findings(knowledge: Knowledge, sha256: Sha256, told: Told): Found[] {
  const learners = [...knowledge.learners.values()];
  knowledge.work.visits += pairsOf(learners);
  return [
    ...proposeChoices(learners, sha256, told).map(choiceFound),
    ...proposeRecoveries(knowledge.recoveries, sha256).map(recoveryFound),
  ];
}

function choiceFound({ insight, witnesses, turns, claimed }: ChoiceDraft): Found {
  const { cues, field, value, support } = insight;
  const named = cues.slice(0, NAMED_CUES).map(({ phrase }) => `"${phrase}"`);
  const more = cues.length - named.length;
  const said = more > 0 ? `${named.join(', ')} or ${more} more cues` : named.join(' or ');
  const unknown =
    claimed === null ? '' : ` Of the ${claimed.principals} principals that said "${claimed.phrase}" ${claimed.claimed} are only claimed.`;
  return {
    finding: insight,
    origin: 'learnt',
    reason: `Where requests said ${said}, the right ${field} was ${value}: each in at least ${supportText(support)}.${unknown}`,
    claim: '',
    evidence: [...new Set([...witnesses.values()].flat().flatMap(({ evidence }) => evidence))].slice(0, MAX_EVIDENCE),
    faults: NO_FAULTS,
    witnesses,
    turns,
  };
}

function recoveryFound({ insight, witnesses }: RecoveryDraft): Found {
  const { tool, next, support } = insight;
  const step = next === 'respond' ? 'with a message' : `with ${next}`;
  return {
    finding: insight,
    origin: 'learnt',
    reason: `After this error of ${tool}, ${supportText(support)} went on ${step}. Whether that was right, nobody has said.`,
    claim: '',
    evidence: witnesses.flatMap(({ evidence }) => evidence),
    faults: NO_FAULTS,
    witnesses: new Map([['', witnesses]]),
    turns: [],
  };
}

/** True when two recoveries say the same and stand on about as much. */
export function isAboutSame(before: Insight, after: Insight): boolean {
  if (before.kind !== 'recovery' || after.kind !== 'recovery') return false;
  return before.next === after.next && after.support.principals < 1.5 * before.support.principals;
}
