import { alarmingPhrases } from './alarm.ts';
import { pass, textsOf, type Candidate, type Verdict } from './candidate.ts';

/**
 * `typed` is a fixed template with cues of at most three words and a value among the tool's own: too narrow to carry an
 * instruction. Everything else is `untrusted`.
 */
export function tierOf({ finding }: Pick<Candidate, 'finding'>): 'typed' | 'untrusted' {
  return finding.kind === 'choice' ? 'typed' : 'untrusted';
}

/** What is not typed, or not labelled at the decision, is never applied without a person. */
export function taint({ finding }: Candidate): Verdict {
  switch (finding.kind) {
    case 'choice':
      return pass('Typed: a fixed template, short cues, and one of the values that the tool allows.');
    case 'recovery':
      return {
        pass: true,
        waits: true,
        reason: 'Nobody has said whether the step was right: it only went with these runs, so a person decides. It is no advice.',
      };
    case 'note':
      return { pass: true, waits: true, reason: 'Free text from elsewhere: a person decides.' };
  }
}

/** Puts what sounds like an order to the agents first in the queue. An alarm, no defence: it stops nothing. */
export function phrases(candidate: Candidate): Verdict {
  const found = [...new Set(textsOf(candidate).flatMap(alarmingPhrases))];
  if (found.length === 0) return pass('It does not sound like an order to the agents.');
  return { pass: true, alarms: found, reason: `It sounds like an order to the agents: ${found.join(', ')}.` };
}
