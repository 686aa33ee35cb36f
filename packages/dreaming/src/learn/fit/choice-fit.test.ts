import { seeded } from '@dreamfold/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitChoices, type FitLesson } from './choice-fit.ts';
import { bestTold, tableOf } from './choice-table.ts';

const values = ['account', 'billing', 'technical'];

/** A lesson for each request, of principals that follow one another. */
function lessons(rows: readonly (readonly [right: string, words: string, principal?: string])[]): FitLesson[] {
  return rows.map(([right, words, principal], i) => ({
    words: words.split(' '),
    right,
    session: `s${i}`,
    principal: principal ?? `p${i}`,
    without: null,
  }));
}

const times = <T>(n: number, row: T): T[] => Array.from({ length: n }, () => row);

describe('weights', () => {
  const anyLesson = fc
    .record({
      right: fc.constantFrom(...values),
      words: fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'), { maxLength: 5 }),
      who: fc.nat(6),
      n: fc.nat(30),
    })
    .map(({ right, words, who, n }): FitLesson => ({
      words: [...new Set(words)],
      right,
      session: `s${who}-${n}`,
      principal: `p${who}`,
      without: null,
    }));

  it('are never negative, and those of a word stand on a quorum', () => {
    fc.assert(
      fc.property(fc.array(anyLesson, { maxLength: 60 }), (all) => {
        for (const [word, byValue] of fitChoices(all, values).cues) {
          for (const [value, odds] of byValue) {
            const own = all.filter(({ words, right }) => right === value && words.includes(word));
            expect(odds).toBeGreaterThan(0);
            expect(new Set(own.map(({ session }) => session)).size).toBeGreaterThanOrEqual(3);
            expect(new Set(own.map(({ principal }) => principal)).size).toBeGreaterThanOrEqual(2);
          }
        }
      }),
    );
  });

  it('follow from the lessons alone: one that is taken out is as if it had never been', () => {
    fc.assert(
      fc.property(fc.array(anyLesson, { minLength: 10, maxLength: 40 }), anyLesson, (all, other) => {
        const before = fitChoices(all, values);
        fitChoices([...all, other], values);
        expect(fitChoices(all, values)).toEqual(before);
      }),
      { numRuns: 50 },
    );
  });

  it('give a principal one vote a value, however many sessions it opens', () => {
    const honest = lessons([...times(6, ['billing', 'refund'] as const), ...times(6, ['technical', 'crash'] as const)]);
    const flood = [...times(200, ['technical', 'refund', 'mallory'] as const), ...times(3, ['technical', 'refund', 'malcolm'] as const)];
    const { cues } = fitChoices([...honest, ...lessons(flood).map((one, i) => ({ ...one, session: `m${i}` }))], values);
    expect(cues.get('refund')!.get('billing')!).toBeGreaterThan(cues.get('refund')!.get('technical') ?? 0);
  });

  it('are not worn away by one principal with many sessions', () => {
    const honest = lessons([...times(12, ['billing', 'refund money'] as const), ...times(12, ['technical', 'crash start'] as const)]);
    const flood = lessons(times(300, ['technical', 'refund money', 'mallory'] as const)).map((one, i) => ({ ...one, session: `m${i}` }));
    const weight = (all: FitLesson[]): number => fitChoices(all, values).cues.get('refund')!.get('billing')!;
    expect(weight([...honest, ...flood])).toBeGreaterThan(0.6 * weight(honest));
  });

  it('of what everybody says are none, and the base rates tell what is left', () => {
    const fit = fitChoices(
      lessons([...times(60, ['billing', 'please refund'] as const), ...times(20, ['technical', 'please crash'] as const)]),
      values,
    );
    expect(fit.cues.has('please')).toBe(false);
    expect(fit.base.get('billing')!).toBeGreaterThan(fit.base.get('technical')!);
    expect(fit.base.get('technical')!).toBeGreaterThan(fit.base.get('account')!);
  });

  it('tell only what the agent does not choose by itself', () => {
    const rows = lessons([...times(20, ['billing', 'refund'] as const), ...times(20, ['technical', 'crash'] as const)]);
    const known = rows.map((one) => ({ ...one, without: one.right }));
    const weight = (all: FitLesson[]): number => fitChoices(all, values).cues.get('refund')!.get('billing')!;
    expect(weight(known)).toBeLessThan(weight(rows));
  });
});

/** Requests of a telling word in 95 of 100, two stop words of ten and three words of sixty that tell nothing. */
function made(shares: readonly number[], { n, seed }: { n: number; seed: number }): FitLesson[] {
  const random = seeded(seed);
  const pick = (size: number): number => Math.floor(random() * size);
  return Array.from({ length: n }, (_, i) => {
    let at = random();
    const value = shares.findIndex((share) => (at -= share) < 0);
    const telling = random() < 0.95 ? [`telling${value}`] : [];
    const words = [...telling, `stop${pick(10)}`, `stop${pick(10)}`, `noise${pick(60)}`, `noise${pick(60)}`, `noise${pick(60)}`];
    return {
      words: [...new Set(words)],
      right: `v${value === -1 ? 0 : value}`,
      session: `s${i}`,
      principal: `p${pick(50)}`,
      without: null,
    };
  });
}

describe('few values', () => {
  it.each([
    ['three', [0.45, 0.35, 0.2]],
    ['three, unequal', [0.6, 0.25, 0.15]],
    ['two', [0.7, 0.3]],
    ['two, very unequal', [0.9, 0.1]],
    ['five', [0.2, 0.2, 0.2, 0.2, 0.2]],
  ])('%s are told apart, and more evidence unlearns nothing', (_name, shares) => {
    const names = shares.map((_, i) => `v${i}`);
    const accuracy = (n: number): number => {
      const table = tableOf(fitChoices(made(shares, { n, seed: 1 }), names), { withBase: false });
      const held = made(shares, { n: 1000, seed: 2 });
      return held.filter(({ words, right }) => bestTold(table, words) === right).length / held.length;
    };
    expect(accuracy(400)).toBeGreaterThan(0.9);
    expect(accuracy(400)).toBeGreaterThan(accuracy(100) - 0.03);
  });
});
