import { renderInsight } from '@dreamfold/core';
import { Insight, type ChoiceInsight, type GateVerdict } from '@dreamfold/events';
import { hasQuorum, neededShare, QUORUM } from './choice.ts';
import { isPhrase } from './phrases.ts';
import { isLabelled, questionKey, saysOneOf, tallyOf, type Question } from './questions.ts';

/** An insight on its way through the gates. */
export interface Candidate {
  insight: ChoiceInsight;
  reason: string;
  evidence: readonly string[];
}

/** What the gates judge by. */
export interface GateContext {
  /** What the reviewed sessions decided, by `questionKey`. */
  questions: ReadonlyMap<string, Question>;
  /** What is in the store, and what this dream has let through already. */
  known: readonly ChoiceInsight[];
  /** Plain phrases that the operator allows in no memory. */
  rules: readonly string[];
}

/** Why a candidate passes, or why it fails. */
type Verdict = Omit<GateVerdict, 'gate'>;
type Gate = (candidate: Candidate, context: GateContext) => Verdict;

const MAX_CUES = 8;
const pass = (reason: string): Verdict => ({ pass: true, reason });
const fail = (reason: string): Verdict => ({ pass: false, reason });

/** Cheapest first. */
const GATES: Readonly<Record<string, Gate>> = { shape, value, constitution, evidence, quorum, precision, duplicate, contradiction };

/** Takes a candidate through the gates, up to the first one that it fails. */
export function judge(candidate: Candidate, context: GateContext): GateVerdict[] {
  const verdicts: GateVerdict[] = [];
  for (const [gate, check] of Object.entries(GATES)) {
    const verdict = check(candidate, context);
    verdicts.push({ gate, ...verdict });
    if (!verdict.pass) break;
  }
  return verdicts;
}

function shape({ insight }: Candidate): Verdict {
  const parsed = Insight.safeParse(insight);
  if (!parsed.success) return fail(`${parsed.error.issues[0]!.path.join('.')}: ${parsed.error.issues[0]!.message}`);
  if (insight.cues.length > MAX_CUES) return fail(`It has ${insight.cues.length} cues; ${MAX_CUES} are allowed.`);
  if (new Set(insight.cues).size < insight.cues.length) return fail('It names a cue twice.');
  const odd = insight.cues.find((cue) => !isPhrase(cue));
  if (odd !== undefined) return fail(`${JSON.stringify(odd.slice(0, 60))} is not one to three plain words of less than 24 characters.`);
  return pass('It is a typed choice with plain cues.');
}

function value({ insight }: Candidate, { questions }: GateContext): Verdict {
  const question = questions.get(questionKey(insight.tool, insight.field));
  if (question === undefined) return fail(`No reviewed session chose a value for ${insight.field} of ${insight.tool}.`);
  if (!question.options.includes(insight.value)) return fail(`${insight.tool} does not allow that value for ${insight.field}.`);
  return pass(`${insight.tool} allows it for ${insight.field}.`);
}

function constitution({ insight, reason }: Candidate, { rules }: GateContext): Verdict {
  const said = plain(`${insight.tool} ${renderInsight(insight)} ${reason}`);
  const broken = rules.find((rule) => said.includes(plain(rule)));
  return broken === undefined
    ? pass('It breaks no rule of the operator.')
    : fail(`It says what a rule forbids: ${JSON.stringify(broken)}.`);
}

/** Words between single blanks, so that a rule matches whole words whatever stands between them. */
function plain(text: string): string {
  return ` ${text
    .normalize('NFKC')
    .toLowerCase()
    .split(/[^\p{L}\p{N}\p{M}]+/u)
    .join(' ')
    .trim()} `;
}

function evidence({ insight, evidence: refs }: Candidate, context: GateContext): Verdict {
  if (refs.length === 0) return fail('It names no evidence.');
  const bearing = decisionsOf(insight, context).filter((decision) => decision.right === insight.value && saysOneOf(decision, insight.cues));
  const known = new Set(bearing.flatMap((decision) => decision.evidence));
  const stray = refs.find((ref) => !known.has(ref));
  if (stray !== undefined) return fail(`${stray} is no labelled decision that bears it out.`);
  return pass(`${refs.length} events bear it out.`);
}

/** Every cue must stand by itself; one good cue carries no others. */
function quorum({ insight }: Candidate, context: GateContext): Verdict {
  const decisions = decisionsOf(insight, context).filter(isLabelled);
  for (const cue of insight.cues) {
    const tally = tallyOf(
      decisions.filter((decision) => decision.phrases.has(cue)),
      insight.value,
    );
    if (hasQuorum(tally)) continue;
    const { sessions, principals } = tally;
    return fail(
      `"${cue}" is borne out by ${count(sessions, 'session')} of ${count(principals, 'principal')}; it takes ${QUORUM.sessions} sessions of ${QUORUM.principals} principals.`,
    );
  }
  return pass(`Every cue is borne out by ${QUORUM.sessions} sessions of ${QUORUM.principals} principals or more.`);
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

function precision({ insight }: Candidate, context: GateContext): Verdict {
  const question = context.questions.get(questionKey(insight.tool, insight.field))!;
  const needed = neededShare(question, insight.value);
  const percent = (share: number): string => `${Math.floor(share * 100)} %`;
  for (const cue of insight.cues) {
    const { share } = tallyOf(
      question.decisions.filter((decision) => isLabelled(decision) && decision.phrases.has(cue)),
      insight.value,
    );
    if (share < needed)
      return fail(`"${cue}" goes with ${insight.value} for ${percent(share)} of the principals; ${percent(needed)} are needed.`);
  }
  return pass(`Every cue goes with ${insight.value} for ${percent(needed)} of the principals or more.`);
}

function duplicate({ insight }: Candidate, { known }: GateContext): Verdict {
  const twin = known.find(
    (other) => sameField(other, insight) && other.value === insight.value && insight.cues.every((cue) => other.cues.includes(cue)),
  );
  return twin === undefined ? pass('It says something new.') : fail(`${twin.id} says it already.`);
}

function contradiction({ insight }: Candidate, { known }: GateContext): Verdict {
  const rival = known.find((other) => contradicts(other, insight) && other.support.principals >= insight.support.principals);
  if (rival === undefined) return pass('Nothing that is better supported contradicts it.');
  return fail(`${rival.id} says ${rival.value} for the same cue, supported by ${rival.support.principals} principals.`);
}

/** True when both speak of the same field, share a cue and name different values. */
export function contradicts(a: ChoiceInsight, b: ChoiceInsight): boolean {
  return sameField(a, b) && a.value !== b.value && a.cues.some((cue) => b.cues.includes(cue));
}

function sameField(a: ChoiceInsight, b: ChoiceInsight): boolean {
  return a.tool === b.tool && a.field === b.field;
}

function decisionsOf({ tool, field }: ChoiceInsight, { questions }: GateContext): Question['decisions'] {
  return questions.get(questionKey(tool, field))!.decisions;
}
