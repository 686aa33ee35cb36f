import { describe, expect, it } from 'vitest';
import { hasQuorum, supportOf, trustedSupportOf, type Witness } from './quorum.ts';

const witness = (n: number, change: Partial<Witness> = {}): Witness => ({
  ...{ session: `s${n}`, principal: `p${n}`, authenticated: true, labeller: 'desk', right: 'billing', evidence: [] },
  ...change,
});

describe('a quorum', () => {
  it.each([
    [[witness(1), witness(2), witness(3)], true],
    [[witness(1), witness(2)], false],
    [[witness(1), witness(2, { session: 's1' }), witness(3, { session: 's1' })], false],
    [[witness(1), witness(2, { principal: 'p1' }), witness(3, { principal: 'p1' })], false],
    [[witness(1), witness(2, { principal: 'p1' }), witness(3)], true],
  ])('is three sessions of two principals: %#', (witnesses, expected) => {
    expect(hasQuorum(supportOf(witnesses))).toBe(expected);
  });
});

describe('what a store goes by that applies changes by itself', () => {
  it.each<[what: string, change: Partial<Witness>, counts: boolean]>([
    ['what a desk says of an authenticated principal', {}, true],
    ['nobody who is only claimed', { authenticated: false }, false],
    ['no customer', { labeller: 'customer' }, false],
    ['nothing that nobody has labelled', { labeller: null }, false],
  ])('is %s', (_what, change, counts) => {
    expect(trustedSupportOf([witness(1, change)])).toEqual(counts ? { sessions: 1, principals: 1 } : { sessions: 0, principals: 0 });
  });
});
