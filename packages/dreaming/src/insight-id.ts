import { canonicalJson, type Sha256 } from '@dreamfold/core';
import { idFrom, type BaseRateInsight, type ChoiceInsight, type RecoveryInsight } from '@dreamfold/events';

/**
 * The id of what the learner finds for a value: stable while cues come and go, so a later finding takes its place.
 * @param about with `standing`, where a part of its cues waits for a person
 */
export function choiceId(
  { tool, field, value, standing }: Pick<ChoiceInsight, 'tool' | 'field' | 'value'> & { standing?: string },
  sha256: Sha256,
): string {
  return idFrom('insight', sha256(canonicalJson({ kind: 'choice', tool, field, value, ...(standing === undefined ? {} : { standing }) })));
}

export function baseRateId({ tool, field }: Pick<BaseRateInsight, 'tool' | 'field'>, sha256: Sha256): string {
  return idFrom('insight', sha256(canonicalJson({ kind: 'base_rate', tool, field })));
}

export function recoveryId({ tool, signature }: Pick<RecoveryInsight, 'tool' | 'signature'>, sha256: Sha256): string {
  return idFrom('insight', sha256(canonicalJson({ kind: 'recovery', tool, signature })));
}

/** The id of a suggestion follows from what it says: made twice, it is one. */
export function suggestionId(said: unknown, sha256: Sha256): string {
  return idFrom('insight', sha256(canonicalJson({ suggested: said })));
}
