import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { hasSameRates, proposeBaseRates } from './base-rates.ts';
import { newLearner, teach, type ChoiceLearner } from './choice-learner.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** So many requests of each queue, each of another principal. */
function learnt(counts: Record<string, number>, by: 'trusted' | 'customers' = 'trusted'): ChoiceLearner {
  const learner = newLearner('route', 'queue', by);
  const options = ['account', 'billing', 'technical'];
  for (const [right, count] of Object.entries(counts)) {
    for (let i = 0; i < count; i += 1) {
      const who = `${right}${i}`;
      const whose = { session: who, principal: who, authenticated: true, labeller: 'desk' as const, without: null, options };
      teach(learner, { ...whose, right, request: `about ${right}`, evidence: [`session/${who}#1`] });
    }
  }
  return learner;
}

describe('base rates', () => {
  it('are those of a field whose values are right unequally often, above the least frequent one', () => {
    const [draft] = proposeBaseRates([learnt({ billing: 60, technical: 15, account: 5 })], sha256);
    expect(draft!.insight).toMatchObject({ kind: 'base_rate', tool: 'route', field: 'queue', support: { sessions: 80, principals: 80 } });
    expect(draft!.insight.values.map(({ value }) => value)).toEqual(['billing', 'technical']);
    expect(draft!.witnesses.length).toBeGreaterThan(0);
  });

  it('are none where values are about equal, where there is one, and of what customers say', () => {
    expect(proposeBaseRates([learnt({ billing: 21, technical: 19, account: 20 })], sha256)).toEqual([]);
    expect(proposeBaseRates([learnt({ billing: 60 })], sha256)).toEqual([]);
    expect(proposeBaseRates([learnt({ billing: 60, technical: 5 }, 'customers')], sha256)).toEqual([]);
  });

  it('are written again when a tenth of their points has moved', () => {
    const rates = (...points: number[]) => ({
      ...{ kind: 'base_rate' as const, id: 'i', tool: 'route', field: 'queue', support: { sessions: 9, principals: 9 } },
      values: points.map((n, i) => ({ value: `v${i}`, points: n })),
    });
    expect(hasSameRates(rates(50, 50), rates(54, 54))).toBe(true);
    expect(hasSameRates(rates(50, 50), rates(56, 54))).toBe(false);
    expect(hasSameRates(rates(50, 50), rates(50, 50, 12))).toBe(false);
  });
});
