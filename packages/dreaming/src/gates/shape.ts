import { phrasesOf, utf8Bytes } from '@dreamfold/core';
import { characterCount, Finding, hasAtMost } from '@dreamfold/events';
import { fail, pass, type Candidate, type Verdict } from './candidate.ts';

const MAX_CUE_CHARS = 23;
/** What a person can be expected to read before approving it. */
const MAX_NOTE_BYTES = 4096;
const MAX_CLAIM_CHARS = 2000;

/** Its form, size and place: a typed insight with plain cues, or a note that a person can read at once and that fits into the store. */
export function shape(candidate: Candidate): Verdict {
  const verdict = formOf(candidate);
  const misfit = candidate.misfit ?? null;
  return !verdict.pass || misfit === null ? verdict : fail(misfit.reason, misfit.code);
}

function formOf({ finding, claim, origin }: Candidate): Verdict {
  const issue = Finding.safeParse(finding).error?.issues[0];
  if (issue !== undefined) {
    return fail(`${issue.path.join('.')}: ${issue.message}`, issue.code === 'too_big' ? 'text_too_long' : 'invalid_argument');
  }
  if (!hasAtMost(claim, MAX_CLAIM_CHARS))
    return fail(`Its reason has ${characterCount(claim)} characters; ${MAX_CLAIM_CHARS} are allowed.`, 'text_too_long');
  if (finding.kind === 'recovery') return pass('It is a typed recovery.');
  if (finding.kind === 'base_rate') return pass('They are typed base rates.');
  if (finding.kind === 'note') {
    const bytes = utf8Bytes(finding.content);
    if (bytes > MAX_NOTE_BYTES) return fail(`The note has ${bytes} bytes; ${MAX_NOTE_BYTES} are allowed.`, 'text_too_long');
    return finding.content.trim() === '' ? fail('The note is empty.', 'invalid_argument') : pass('It is a short note.');
  }
  const phrases = finding.cues.map(({ phrase }) => phrase);
  if (new Set(phrases).size < phrases.length) return fail('It names a cue twice.', 'invalid_argument');
  if (origin === 'learnt') return pass('It is a typed choice with plain cues.');
  const odd = phrases.find((phrase) => !hasAtMost(phrase, MAX_CUE_CHARS) || !phrasesOf(phrase).has(phrase));
  if (odd === undefined) return pass('It is a typed choice with plain cues.');
  const code = !hasAtMost(odd, MAX_CUE_CHARS) ? 'text_too_long' : 'invalid_argument';
  return fail(`${JSON.stringify(odd.slice(0, 60))} is not one to three plain words of less than 24 characters.`, code);
}

/** A choice is among the values that the tool named in the very sessions that bear it out: what other teams' tools name counts for nothing. */
export function value({ finding, offered }: Candidate): Verdict {
  if (finding.kind !== 'choice') return pass('It names no value.');
  const { tool, field, value } = finding;
  if (offered?.length === 0) return fail(`No session that it stands on has a decision on ${field} of ${tool}.`, 'invalid_argument');
  if (offered?.includes(value) === false)
    return fail(`In the sessions that it stands on, ${tool} does not allow that value for ${field}.`, 'invalid_argument');
  return pass(`In the sessions that it stands on, ${tool} allows it for ${field}.`);
}
