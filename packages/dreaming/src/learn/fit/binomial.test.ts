import { expect, test } from 'vitest';
import { upperTail } from './binomial.ts';

test.each([
  { least: 3, trials: 3, each: 0.5, chance: 0.125 },
  { least: 8, trials: 10, each: 0.5, chance: 56 / 1024 },
  { least: 1, trials: 4, each: 0.25, chance: 1 - 0.75 ** 4 },
  { least: 0, trials: 5, each: 0.1, chance: 1 },
  { least: 6, trials: 5, each: 0.1, chance: 0 },
  { least: 2, trials: 5, each: 0, chance: 0 },
  { least: 2, trials: 5, each: 1, chance: 1 },
])('$least or more of $trials at $each', ({ least, trials, each, chance }) => {
  expect(upperTail(least, { trials, each })).toBeCloseTo(chance, 12);
});

test('of many trials is close to that of the normal distribution', () => {
  expect(upperTail(5100, { trials: 10_000, each: 0.5 })).toBeCloseTo(0.0233, 3);
  expect(upperTail(6000, { trials: 10_000, each: 0.5 })).toBeLessThan(1e-80);
});
