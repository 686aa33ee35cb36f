import { expect, test } from 'vitest';
import { meanOf } from './scenario.ts';

test('the mean of figures is taken number by number, at any depth', () => {
  const one = { cycles: [{ dream: 1, accuracy: 0.5 }], name: 'a', none: null };
  const other = { cycles: [{ dream: 1, accuracy: 0.75 }], name: 'a', none: null };
  expect(meanOf([one, other])).toEqual({ cycles: [{ dream: 1, accuracy: 0.625 }], name: 'a', none: null });
});
