import { suspiciousCharacters } from '@dreamfold/events';
import { fail, pass, textsOf, type Candidate, type Verdict } from './candidate.ts';

/** Nothing that a reader does not see, or takes for something else. */
export function unicode(candidate: Candidate): Verdict {
  for (const text of textsOf(candidate)) {
    const odd = suspiciousCharacters(text);
    if (odd !== null) return fail(`It holds ${odd}.`, 'suspicious_unicode');
  }
  return pass('Its characters are what they look like.');
}
