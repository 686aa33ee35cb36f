import { checked, Text, type Insight } from '@dreamfold/events';
import { fail, type Candidate, type GateContext, type Verdict } from './candidate.ts';

/** A change as the operator's rules see it. */
export interface MemoryChange {
  kind: 'choice' | 'recovery' | 'note';
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
    check: ({ insight, text, reason }) => {
      const typed = insight?.kind === 'choice' ? `${insight.tool} ${insight.field} ${insight.value}` : (insight?.tool ?? '');
      return plainWords(`${typed} | ${text} | ${reason}`).includes(wanted)
        ? `It says what a rule forbids: ${JSON.stringify(phrase)}.`
        : null;
    },
  };
}

/** The rules that the operator writes; a conflict rejects. */
export function constitution(candidate: Candidate, { constitution: rules }: GateContext): Verdict {
  const change = changeOf(candidate);
  for (const rule of rules) {
    let why: string | null;
    try {
      why = rule.check(change);
    } catch (error) {
      // A rule that can't judge must not let anything through.
      why = `The rule ${rule.name} failed: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (why !== null) return fail(why);
  }
  const reason = rules.length === 0 ? 'The operator has given no rules.' : 'It breaks no rule of the operator.';
  return { pass: true, reason, rules: rules.length };
}

function changeOf({ finding, text, reason, claim }: Candidate): MemoryChange {
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
