import { createHash } from 'node:crypto';
import type { ChoiceInsight } from '@dreamfold/events';
import { describe, expect, it } from 'vitest';
import { newLearner, teach, type ChoiceLearner } from './choice-learner.ts';
import { learntIds, proposeChoices, standingOf } from './propose-choices.ts';
import { ToldIndex } from './told-index.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');
const options = ['account', 'billing', 'returns', 'technical'];

/** `[right, request, how many principals]`. */
type Rows = readonly (readonly [right: string, request: string, principals: number])[];

function learnt(rows: Rows): ChoiceLearner {
  const learner = newLearner('route', 'queue');
  for (const [right, request, principals] of rows) {
    for (let i = 0; i < principals; i += 1) {
      const who = `${right} ${request} ${i}`;
      const whose = { session: who, principal: who, authenticated: true, labeller: 'desk' as const };
      teach(learner, { ...whose, without: null, right, request, options, evidence: [`session/s#${i + 1}`] });
    }
  }
  return learner;
}

/** What the store tells: cues with their points, by value. */
function told(value: string, cues: Record<string, number>): ChoiceInsight {
  const about = { tool: 'route', field: 'queue', value };
  const all = Object.entries(cues).map(([phrase, points]) => ({ phrase, points, sessions: 6, principals: 6 }));
  return { kind: 'choice', id: learntIds(about, sha256)[0]!, ...about, cues: all, support: { sessions: 6, principals: 6 } };
}

const OTHERS: Rows = [
  ['account', 'email', 30],
  ['technical', 'crashes', 30],
];

/** Each insight in a line; those that turn something with a star. */
function proposed(rows: Rows, stored: readonly ChoiceInsight[], approval: 'auto' | 'manual'): string[] {
  const drafts = proposeChoices(
    [learnt([...rows, ...OTHERS])],
    sha256,
    new ToldIndex(stored, approval, (insight) => standingOf(insight, sha256)),
  );
  return drafts
    .filter(({ insight }) => insight.value === 'billing' || insight.value === 'returns')
    .map(({ insight: { value, cues }, turns }) => {
      const phrases = cues.map(({ phrase }) => phrase).sort();
      return `${turns.length > 0 ? '*' : ''}${value}: ${phrases.join(', ')}`;
    })
    .sort();
}

describe('labels that go against what is told', () => {
  const turned: Rows = [
    ['returns', 'refund', 6],
    ['billing', 'refund', 30],
    ['billing', 'invoice', 12],
    ['returns', 'exchange', 12],
  ];
  const stored = [told('returns', { refund: 11 })];

  it('leave it as it is where changes are applied unasked, and stand apart from what is new besides', () => {
    expect(proposed(turned, [], 'auto')).toEqual(['billing: invoice, refund', 'returns: exchange']);
    expect(proposed(turned, stored, 'auto')).toEqual(['*billing: refund', 'billing: invoice', 'returns: exchange, refund']);
  });

  it('are told with the rest where a person decides on everything, with what they turn', () => {
    expect(proposed(turned, stored, 'manual')).toEqual(['*billing: invoice, refund', 'returns: exchange']);
  });

  it('turn nothing any more once the store tells both, or where the former labels are gone', () => {
    const both = [...stored, told('billing', { refund: 11 })];
    expect(proposed(turned, both, 'auto')).toEqual(['billing: invoice, refund', 'returns: exchange']);
    expect(proposed(turned.slice(1), stored, 'auto')).toEqual(['billing: invoice, refund', 'returns: exchange']);
  });

  it('never go unasked against what a person wrote', () => {
    const mine = { ...told('returns', { refund: 1 }), id: 'mine' };
    expect(proposed(turned.slice(1), [mine], 'auto')).toEqual(['*billing: refund', 'billing: invoice', 'returns: exchange']);
    // Also where more labels say what is written.
    const divided: Rows = [
      ['billing', 'refund', 16],
      ['returns', 'refund', 20],
    ];
    expect(proposed(divided, [mine], 'auto')).toEqual(['*billing: refund', 'returns: refund']);
    expect(proposed(divided, stored, 'auto')).toEqual(['billing: refund', 'returns: refund']);
  });

  it('turn it where five principals say so whose other lessons agree with the store, and no fewer', () => {
    const stores = [told('returns', { refund: 30, exchange: 30 }), told('account', { email: 30 })];
    const lessonsOf = (known: number): ChoiceLearner => {
      const learner = learnt([['returns', 'refund', 6], ...OTHERS]);
      for (let i = 0; i < 30; i += 1) {
        const principal = `customer ${i}`;
        const whose = { principal, authenticated: true, labeller: 'desk' as const, options, without: null, evidence: ['session/s#1'] };
        const others = i < known ? 5 : 0;
        for (let n = 0; n < others; n += 1) teach(learner, { ...whose, session: `${principal}/${n}`, right: 'account', request: 'email' });
        teach(learner, { ...whose, session: `${principal}/turn`, right: 'billing', request: 'refund' });
      }
      return learner;
    };
    const turns = (known: number): boolean => {
      const index = new ToldIndex(stores, 'auto', (insight) => standingOf(insight, sha256));
      return proposeChoices([lessonsOf(known)], sha256, index).some((draft) => draft.turns.length > 0);
    };
    expect([turns(0), turns(4), turns(5)]).toEqual([true, true, false]);
  });
});
