import { expect, test } from 'vitest';
import { target } from './target.ts';

test('a target is met on the right side of its limit, and on the limit', () => {
  expect(target('disk', 60, { atMost: 60, unit: 'KiB' }).met).toBe(true);
  expect(target('disk', 60.1, { atMost: 60, unit: 'KiB' }).met).toBe(false);
  expect(target('rate', 0.5, { atLeast: 0.5, unit: '×' }).met).toBe(true);
  expect(target('rate', 0.49, { atLeast: 0.5, unit: '×' }).met).toBe(false);
});

test('what was measured stands beside the limit', () => {
  expect(target('rate', 0.8, { atLeast: 0.7, unit: '×' })).toEqual({
    name: 'rate',
    unit: '×',
    value: 0.8,
    limit: { atLeast: 0.7 },
    met: true,
  });
});
