import type { DreamReport } from 'dreamfold';

type Uncounted = DreamReport['uncounted'][number];

const WHY: Readonly<Record<Uncounted['reason'], string>> = {
  claimed_principal: 'of principals that nobody has authenticated: without a person they count for nothing',
  customer_label: 'labelled by customers on their own sessions: what only they say waits for a person',
  deceptive_name: 'with a name of the principal or the labeller that is empty, or that can be taken for another',
  unknown_answer: 'with a right answer that names no field of the tool that is decided on, or no value that it takes',
  no_decision: 'on what is no decision: a message, or a call in which no field takes one of a few named values',
  no_answer: 'with the word wrong, and without what would have been right',
  outranked: 'outweighed by the label of somebody whose word has more weight',
  duplicate: 'whose principal had taught the same before',
};

/** What of the feedback did not count in a dream, and why: a line each. */
export function uncountedLines(uncounted: readonly Uncounted[]): string[] {
  if (uncounted.length === 0) return [];
  const total = uncounted.reduce((sum, { count }) => sum + count, 0);
  return [`Of the feedback ${total} did not count like the rest:`, ...uncounted.map(({ reason, count }) => `  ${count} ${WHY[reason]}`)];
}
