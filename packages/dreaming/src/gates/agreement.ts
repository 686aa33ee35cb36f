import type { ChoiceInsight, Finding, Insight } from '@dreamfold/events';
import { isHarmful } from '../learn/outcomes.ts';
import { fail, pass, type Candidate, type GateContext, type Verdict } from './candidate.ts';

/** It says something that the store does not say yet. */
export function duplicate({ finding, origin }: Candidate, { known }: GateContext): Verdict {
  if (finding.kind !== 'choice' || origin === 'learnt') return pass('It takes the place of what it was before.');
  const twin = known.find((insight) => {
    if (insight.kind !== 'choice' || !sameField(insight, finding) || insight.value !== finding.value) return false;
    const phrases = new Set(insight.cues.map(({ phrase }) => phrase));
    return finding.cues.every(({ phrase }) => phrases.has(phrase));
  });
  return twin === undefined ? pass('It says something new.') : fail(`${twin.id} says it already.`);
}

/** Nothing that is as well supported says otherwise. What is supported less gives way. */
export function contradiction({ finding, origin }: Candidate, { known, isLearnt }: GateContext): Verdict {
  if (finding.kind !== 'choice') return pass('It says nothing of a value.');
  for (const insight of known) {
    // The dearest question last.
    if (insight.support.principals < finding.support.principals || (origin === 'learnt' && isLearnt(insight))) continue;
    if (!contradicts(insight, finding)) continue;
    return fail(
      `${insight.id} says ${(insight as ChoiceInsight).value} for the same cue, supported by ${insight.support.principals} principals.`,
    );
  }
  return pass('Nothing that is as well supported contradicts it.');
}

/** True when both speak of the same field, share a cue and name different values. */
export function contradicts(a: Finding | Insight, b: Finding): boolean {
  if (a.kind !== 'choice' || b.kind !== 'choice' || !sameField(a, b) || a.value === b.value) return false;
  const phrases = new Set(a.cues.map(({ phrase }) => phrase));
  return b.cues.some(({ phrase }) => phrases.has(phrase));
}

function sameField(a: ChoiceInsight, b: ChoiceInsight): boolean {
  return a.tool === b.tool && a.field === b.field;
}

/** What has misled the sessions that followed it does not come back. The learner has seen how it came out, and weighed it. */
export function outcomes({ finding, origin }: Candidate, { counts }: GateContext): Verdict {
  if (origin === 'learnt') return pass('How it came out has been learnt from.');
  const counted = counts.get(finding.id);
  if (!isHarmful(counted)) return pass('It has not misled those who followed it.');
  return fail(`It misled ${counted!.harmful} principals whose sessions followed it, and helped ${counted!.helpful}.`);
}
