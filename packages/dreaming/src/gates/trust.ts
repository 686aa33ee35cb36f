import { isTrustedLabeller } from '@dreamfold/events';
import { QUORUM, hasQuorum, supportText, trustedSupportOf, type Witness } from '../learn/quorum.ts';
import { pass, type Candidate, type GateContext, type Verdict } from './candidate.ts';

const waits = (reason: string): Verdict => ({ pass: true, waits: true, reason });

/**
 * A store that applies changes by itself goes by the principals that somebody has authenticated, and by labellers who are no party
 * to the matter. What has no quorum of these waits for a person; so does any growth of what was approved without one.
 */
export function trust({ finding, witnesses }: Candidate, { toldPoints }: GateContext): Verdict {
  if (finding.kind === 'base_rate') return trustOfRates([...witnesses.values()].flat());
  if (finding.kind !== 'choice') return pass('Of this a person decides in any case.');
  for (const { phrase, points } of finding.cues) {
    const cited = witnesses.get(phrase) ?? [];
    const support = trustedSupportOf(cited);
    if (hasQuorum(support) || points <= toldPoints(finding, phrase)) continue;
    const labelled = cited.filter(({ labeller }) => labeller !== null && isTrustedLabeller(labeller));
    if (labelled.length === 0) return waits(`"${phrase}" rests on what customers say of their own sessions: a person decides.`);
    return waits(
      `"${phrase}" is borne out by ${supportText(support)} that somebody has authenticated; without a person it takes ${QUORUM.sessions} sessions of ${QUORUM.principals} principals.`,
    );
  }
  return pass('It stands on authenticated principals, and on labels of others than customers.');
}

function trustOfRates(cited: readonly Witness[]): Verdict {
  const support = trustedSupportOf(cited);
  if (hasQuorum(support)) return pass('They stand on authenticated principals, and on labels of others than customers.');
  return waits(`They rest on ${supportText(support)} that somebody has authenticated: a person decides.`);
}

/** What agents are told is not turned into its opposite, or taken away from them, by labels alone. */
export function turning({ turns }: Candidate): Verdict {
  if (turns.length === 0) return pass('It turns nothing that agents are told.');
  const named = `${turns.slice(0, 3).join(', ')}${turns.length > 3 ? ' and others' : ''}`;
  return waits(`It goes against what agents are told by ${named}: a person decides.`);
}
