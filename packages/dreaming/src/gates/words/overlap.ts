import { fail, namesOf, pass, wordsOf, type Candidate, type GateContext, type Verdict } from '../candidate.ts';
import { isPlainName } from './plain-name.ts';

/** A run of so many characters that also stands in an untrusted text is a copy. */
export const COPY_CHARS = 24;
/** Of a long source this much is compared. */
const MAX_SOURCE_CHARS = 200_000;

/** Lower-cased, with one blank for each run of blanks: a copy with other line breaks is a copy. */
function plain(text: string): string {
  return text.slice(0, MAX_SOURCE_CHARS).normalize('NFKC').toLowerCase().replaceAll(/\s+/gu, ' ');
}

/**
 * The first run of 24 characters or more that a text has in common with a source, or null. Compared as they stand, and
 * without regard to case and blanks. The work grows with the length of the text and of the sources.
 */
export function copiedRun(text: string, sources: Iterable<string>): string | null {
  const forms = [(form: string) => form, plain].map((form) => ({ form, runs: runsOf(form(text)) })).filter(({ runs }) => runs.size > 0);
  if (forms.length === 0) return null;
  for (const source of sources) {
    for (const { form, runs } of forms) {
      const read = form(source.slice(0, MAX_SOURCE_CHARS));
      for (let at = 0; at + COPY_CHARS <= read.length; at += 1) {
        const run = read.slice(at, at + COPY_CHARS);
        if (runs.has(run)) return run;
      }
    }
  }
  return null;
}

function runsOf(text: string): Set<string> {
  const runs = new Set<string>();
  for (let at = 0; at + COPY_CHARS <= text.length; at += 1) runs.add(text.slice(at, at + COPY_CHARS));
  return runs;
}

/** No request and no tool's output gets into a memory word for word. */
export function overlap(candidate: Candidate, { untrusted }: GateContext): Verdict {
  const { finding, origin } = candidate;
  // What many errors of a tool share is nobody's own words; and plain names are the schema's, which tools may well repeat.
  const words = finding.kind === 'recovery' && origin === 'learnt' ? [] : wordsOf(candidate);
  for (const text of [...words, ...namesOf(finding).filter((name) => !isPlainName(name))]) {
    if (copiedRun(text, untrusted) !== null)
      return fail(`It copies ${COPY_CHARS} characters or more of what a user or a tool said.`, 'untrusted_overlap');
  }
  return pass('It copies nothing that a user or a tool said.');
}
