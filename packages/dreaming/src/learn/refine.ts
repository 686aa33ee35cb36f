import type { Sha256 } from '@dreamfold/core';
import type { Insight } from '@dreamfold/events';
import { hasSameRates, proposeBaseRates, type BaseRateDraft } from './base-rates.ts';
import { NO_FAULTS, type Candidate } from '../gates/candidate.ts';
import type { Knowledge } from './knowledge.ts';
import { baseRateReason, learntEvidence, learntReason, recoveryReason } from './learnt-reason.ts';
import { proposeChoices, type ChoiceDraft } from './propose-choices.ts';
import type { Told } from './standing.ts';
import { proposeRecoveries, type RecoveryDraft } from './recoveries.ts';

export type Found = Candidate & { finding: Insight };

/** Everything that the knowledge bears out now, whether the store has it or not. */
export function findings(knowledge: Knowledge, sha256: Sha256, told: Told): Found[] {
  const learners = [...knowledge.learners.values()];
  knowledge.work.fitted += learners.reduce((sum, { lessons }) => sum + lessons, 0);
  knowledge.newErrors = 0;
  return [
    ...proposeChoices(learners, sha256, told).map(choiceFound),
    ...proposeBaseRates(learners, sha256).map(baseRateFound),
    ...proposeRecoveries(knowledge.recoveries, sha256).map(recoveryFound),
  ];
}

function choiceFound({ insight, witnesses, turns, heard }: ChoiceDraft): Found {
  return {
    finding: insight,
    origin: 'learnt',
    reason: learntReason(insight, heard),
    claim: '',
    evidence: learntEvidence(witnesses),
    faults: NO_FAULTS,
    witnesses,
    turns,
    heard,
  };
}

function baseRateFound({ insight, witnesses }: BaseRateDraft): Found {
  const cited = new Map([['', witnesses]]);
  return {
    finding: insight,
    origin: 'learnt',
    reason: baseRateReason(insight),
    claim: '',
    evidence: learntEvidence(cited),
    faults: NO_FAULTS,
    witnesses: cited,
    turns: [],
  };
}

function recoveryFound({ insight, witnesses }: RecoveryDraft): Found {
  return {
    finding: insight,
    origin: 'learnt',
    reason: recoveryReason(insight),
    claim: '',
    evidence: witnesses.flatMap(({ evidence }) => evidence),
    faults: NO_FAULTS,
    witnesses: new Map([['', witnesses]]),
    turns: [],
  };
}

/** True when two recoveries say the same and stand on about as much, and two base rates are about the same. */
export function isAboutSame(before: Insight, after: Insight): boolean {
  if (before.kind === 'base_rate' && after.kind === 'base_rate') return hasSameRates(before, after);
  if (before.kind !== 'recovery' || after.kind !== 'recovery') return false;
  return before.next === after.next && before.signature === after.signature && after.support.principals < 1.5 * before.support.principals;
}
