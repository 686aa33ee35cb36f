import { countPhrases, type PhraseCount } from '../learn/phrase-count.ts';
import { QUORUM, hasQuorum, supportOf, supportText } from '../learn/quorum.ts';
import { fail, pass, type Candidate, type GateContext, type Verdict } from './candidate.ts';

/** Below this part of the principals who said it, a word speaks for no value. */
const MIN_SHARE = 0.6;
/** Cues whose counts a verdict tells. */
const TOLD_CUES = 3;

/** Events are named, are there, and are labelled decisions that bear the finding out. */
export function evidence({ finding, evidence: refs, faults }: Candidate): Verdict {
  if (refs.length === 0) return fail('It names no evidence.', 'evidence_required');
  const [missing] = faults.missing;
  if (missing !== undefined) return fail(`${missing} is not on the log.`, 'evidence_not_found');
  const [unlabelled] = faults.unlabelled;
  if (unlabelled !== undefined) return fail(`${unlabelled} is no event that anybody has labelled.`, 'evidence_unlabelled');
  const [stray] = faults.stray;
  if (stray !== undefined) return fail(`${stray} is no labelled decision that bears it out.`, 'evidence_unlabelled');
  return pass(`${refs.length} events ${finding.kind === 'choice' ? 'bear it out' : 'are cited'}.`);
}

/** Every cue must stand by itself; one good cue carries no others. Counted in what is cited, not in what is claimed. */
export function quorum({ finding, witnesses }: Candidate): Verdict {
  if (finding.kind === 'note') return pass('A person decides on a note.');
  for (const [cue, cited] of witnesses) {
    const support = supportOf(cited);
    if (hasQuorum(support)) continue;
    const what = cue === '' ? 'It' : `"${cue}"`;
    return fail(
      `${what} is borne out by ${supportText(support)}; it takes ${QUORUM.sessions} sessions of ${QUORUM.principals} principals.`,
    );
  }
  return pass(`It is borne out by ${QUORUM.sessions} sessions of ${QUORUM.principals} principals or more.`);
}

/** A suggested cue goes with its value more than with others. The learner weighs its own cues against each other. */
export function precision({ finding, origin }: Candidate, { lessons }: GateContext): Verdict {
  if (finding.kind !== 'choice' || origin === 'learnt') return pass('Its cues were weighed against each other.');
  const { tool, field, value, cues } = finding;
  const counts = [
    ...countPhrases(
      cues.map(({ phrase }) => phrase),
      value,
      lessons(tool, field),
    ),
  ];
  for (const [phrase, count] of counts) {
    if (count.said === 0) return fail(`"${phrase}" is said in no labelled decision that the store's dreams have read.`);
    if (count.share >= MIN_SHARE) continue;
    const percent = Math.floor(count.share * 100);
    return fail(`${told(phrase, count)}: that is ${percent} % of the principals' votes, and ${MIN_SHARE * 100} % are needed.`);
  }
  const more = counts.length > TOLD_CUES ? `, and so on for ${counts.length - TOLD_CUES} more` : '';
  return pass(
    `${counts
      .slice(0, TOLD_CUES)
      .map(([phrase, count]) => told(phrase, count))
      .join('; ')}${more}.`,
  );
}

function told(phrase: string, { said, right }: PhraseCount): string {
  return `"${phrase}" is said in ${said} labelled ${said === 1 ? 'decision' : 'decisions'}, right in ${right}`;
}
