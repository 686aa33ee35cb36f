import { findSuspicious, suspiciousCharacters } from '@dreamfold/events';
import { fail, pass, placeInNote, textsOf, type Candidate, type Verdict } from '../candidate.ts';
import type { BadCues } from '../drop-cues.ts';

const PLAIN = /^[\x20-\x7e]*$/;

/** Nothing that a reader does not see, or takes for something else. */
export function unicode(candidate: Candidate): Verdict {
  for (const text of textsOf(candidate)) {
    const odd = findSuspicious(text);
    if (odd !== null) return fail(`It holds ${odd.what}${placeInNote(candidate, text, odd.index)}.`, 'suspicious_unicode');
  }
  return pass('Its characters are what they look like.');
}

export const oddCues: BadCues = ({ finding }) => {
  const cues = finding.kind === 'choice' ? finding.cues : [];
  const odd = cues.flatMap(({ phrase }) => {
    const what = PLAIN.test(phrase) ? null : suspiciousCharacters(phrase);
    return what === null ? [] : [[phrase, { shown: escaped(phrase), reason: `It holds ${what}.` }] as const];
  });
  return new Map(odd);
};

/** With every letter that is not plain as its code point, so that a reader can tell it. */
function escaped(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/gu, (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`);
}
