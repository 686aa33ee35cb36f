import { alarmingPhrases } from './words/alarm.ts';
import { namesOf, pass, textsOf, type Candidate, type Verdict } from './candidate.ts';
import { isPlainName } from './words/plain-name.ts';

/** A person's, or a desk's: whoever reviews can tell. */
const EMAIL = /[\p{L}\p{N}_%+-]@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){0,8}\.\p{L}{2,24}/u;

/**
 * `typed` is a fixed template with cues of at most three words, and a value among the tool's own whose name is short and
 * plain, as the tool's and the field's are: too narrow to carry an instruction. Everything else is `untrusted`.
 */
export function tierOf({ finding }: Pick<Candidate, 'finding'>): 'typed' | 'untrusted' {
  return (finding.kind === 'choice' || finding.kind === 'base_rate') && namesOf(finding).every(isPlainName) ? 'typed' : 'untrusted';
}

/** What is not typed, or not labelled at the decision, is never applied without a person. */
export function taint(candidate: Candidate): Verdict {
  switch (candidate.finding.kind) {
    case 'choice':
    case 'base_rate':
      if (tierOf(candidate) === 'untrusted')
        return {
          pass: true,
          waits: true,
          reason: 'The name of its tool, field or value is long or reads like a sentence: a person decides.',
        };
      return pass('Typed: a fixed template, short cues, and values that the tool allows.');
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
  const texts = textsOf(candidate);
  const found = [...new Set(texts.flatMap(alarmingPhrases))];
  const isPersonal = texts.some((text) => EMAIL.test(text));
  if (found.length === 0 && !isPersonal) return pass('It does not sound like an order to the agents.');
  const why = [
    ...(found.length > 0 ? [`It sounds like an order to the agents: ${found.join(', ')}.`] : []),
    ...(isPersonal ? ['It holds an e-mail address.'] : []),
  ];
  return { pass: true, alarms: [...found, ...(isPersonal ? ['an e-mail address'] : [])], reason: why.join(' ') };
}
