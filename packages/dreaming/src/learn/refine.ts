import type { Sha256 } from '@dreamfold/core';
import type { Insight } from '@dreamfold/events';
import { NO_FAULTS, type Candidate } from '../gates/candidate.ts';
import type { Knowledge } from './knowledge.ts';
import { learntEvidence, learntReason } from './learnt-reason.ts';
import { pairsOf, proposeChoices, type ChoiceDraft } from './propose-choices.ts';
import { supportText } from './quorum.ts';
import type { Told } from './standing.ts';
import { proposeRecoveries, type RecoveryDraft } from './recoveries.ts';

export type Found = Candidate & { finding: Insight };

/** Everything that the knowledge bears out now, whether the store has it or not. */
export function findings(knowledge: Knowledge, sha256: Sha256, told: Told): Found[] {
  const learners = [...knowledge.learners.values()];
  knowledge.work.visits += pairsOf(learners);
  knowledge.newErrors = 0;
  return [
    ...proposeChoices(learners, sha256, told).map(choiceFound),
    ...proposeRecoveries(knowledge.recoveries, sha256).map(recoveryFound),
  ];
}

function choiceFound({ insight, witnesses, turns, claimed }: ChoiceDraft): Found {
  return {
    finding: insight,
    origin: 'learnt',
    reason: learntReason(insight, claimed),
    claim: '',
    evidence: learntEvidence(witnesses),
    faults: NO_FAULTS,
    witnesses,
    turns,
    claimed,
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
  return before.next === after.next && before.signature === after.signature && after.support.principals < 1.5 * before.support.principals;
}
