import { checked, Text, type Insight } from '@dreamfold/events';
import { fail, textOf, withCues, type Candidate, type GateContext, type Verdict } from './candidate.ts';
import type { BadCues } from './drop-cues.ts';

/** A change as the operator's rules see it. */
export interface MemoryChange {
  kind: 'choice' | 'recovery' | 'base_rate' | 'note';
  /** As the agents will read it. */
  text: string;
  /** null for a note. */
  insight: Insight | null;
  /** null for an insight. */
  note: { path: string; content: string } | null;
  /** Why the dream proposes it, and what a suggestion says for itself. */
  reason: string;
}

/** A rule of the operator: null, or why the change breaks it. It must give the same answer to the same change. */
export interface ConstitutionRule {
  name: string;
  check(change: MemoryChange): string | null;
}

export type Constitution = readonly ConstitutionRule[];

/**
 * A phrase that no memory may say, in whole words, whatever its case and what stands between the words.
 * @throws DreamfoldError invalid_argument for what is no phrase
 */
export function forbiddenPhrase(phrase: string): ConstitutionRule {
  checked(Text, phrase, { what: 'forbiddenPhrase()', name: 'phrase' });
  const wanted = plainWords(phrase);
  return {
    name: phrase,
    check: (change) => (saidBy(change).includes(wanted) ? `It says what a rule forbids: ${JSON.stringify(phrase)}.` : null),
  };
}

/** All that a change says, between single blanks; many rules ask for it. */
const said = new WeakMap<MemoryChange, string>();

function saidBy(change: MemoryChange): string {
  let words = said.get(change);
  if (words === undefined) {
    const { insight, note, text, reason } = change;
    const typed = insight === null ? (note?.path ?? '') : typedNames(insight);
    said.set(change, (words = plainWords(`${typed} | ${text} | ${reason}`)));
  }
  return words;
}

function typedNames(insight: Insight): string {
  if (insight.kind === 'recovery') return insight.tool;
  return insight.kind === 'choice' ? `${insight.tool} ${insight.field} ${insight.value}` : `${insight.tool} ${insight.field}`;
}

/** The rules that the operator writes; a conflict rejects. */
export function constitution(candidate: Candidate, { constitution: rules }: GateContext): Verdict {
  const why = broken(changeOf(candidate), rules);
  if (why !== null) return fail(why);
  const reason = rules.length === 0 ? 'The operator has given no rules.' : 'It breaks no rule of the operator.';
  return { pass: true, reason, rules: rules.length };
}

/** Why a change breaks the first rule that it breaks; null when it breaks none. */
export function broken(change: MemoryChange, rules: Constitution): string | null {
  for (const rule of rules) {
    try {
      const why = rule.check(change);
      if (why !== null) return why;
    } catch (error) {
      // A rule that can't judge must not let anything through.
      return `The rule ${rule.name} failed: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
  return null;
}

/** Where a choice breaks a rule, the cues with which alone it would break one. */
export const cuesAgainstRules: BadCues = (candidate, { constitution: rules }) => {
  const { finding } = candidate;
  if (finding.kind !== 'choice' || rules.length === 0 || broken(changeOf(candidate), rules) === null) return new Map();
  return new Map(
    finding.cues.flatMap(({ phrase }) => {
      const reason = broken(changeOf(withCues(candidate, (cue) => cue.phrase === phrase)), rules);
      return reason === null ? [] : [[phrase, { shown: phrase, reason }] as const];
    }),
  );
};

function changeOf({ finding, reason, claim }: Candidate): MemoryChange {
  const text = textOf(finding);
  const said = claim === '' ? reason : `${reason} ${claim}`;
  if (finding.kind === 'note')
    return { kind: 'note', text, insight: null, note: { path: finding.path, content: finding.content }, reason: said };
  return { kind: finding.kind, text, insight: finding, note: null, reason: said };
}

/** Words between single blanks. */
function plainWords(text: string): string {
  return ` ${text
    .normalize('NFKC')
    .toLowerCase()
    .split(/[^\p{L}\p{N}\p{M}]+/u)
    .join(' ')
    .trim()} `;
}
