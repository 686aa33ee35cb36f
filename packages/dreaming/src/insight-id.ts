import { canonicalJson, type Sha256 } from '@dreamfold/core';
import { idFrom, type ChoiceInsight, type RecoveryInsight } from '@dreamfold/events';

/**
 * The id of what the learner finds for a value: stable while cues come and go, so a later finding takes its place.
 */
export function choiceId(
  { tool, field, value, ...group }: Pick<ChoiceInsight, 'tool' | 'field' | 'value'> & ({ strength: number } | { standing: string }),
  sha256: Sha256,
): string {
  return idFrom('insight', sha256(canonicalJson({ kind: 'choice', tool, field, value, ...group })));
}

export function recoveryId({ tool, signature }: Pick<RecoveryInsight, 'tool' | 'signature'>, sha256: Sha256): string {
  return idFrom('insight', sha256(canonicalJson({ kind: 'recovery', tool, signature })));
}

/** The id of a suggestion follows from what it says: made twice, it is one. */
export function suggestionId(said: unknown, sha256: Sha256): string {
  return idFrom('insight', sha256(canonicalJson({ suggested: said })));
}
