import { expect, test } from 'vitest';
import { least, median, rounded } from './statistics.ts';

test('the median is the middle value, whatever the order', () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([7])).toBe(7);
});

test('the median of an even count is the mean of the two in the middle', () => {
  expect(median([4, 1, 3, 100])).toBe(3.5);
});

test('numbers are ordered as numbers, and the argument is left as it is', () => {
  const values = [10, 9, 100];
  expect(median(values)).toBe(10);
  expect(values).toEqual([10, 9, 100]);
});

test('least is the smallest value', () => {
  expect(least([3, 2.5, 8])).toBe(2.5);
});

test('there is no median and no least of nothing', () => {
  expect(() => median([])).toThrow(RangeError);
  expect(() => least([])).toThrow(RangeError);
});

test('rounded cuts noise off', () => {
  expect(rounded(1.23456)).toBe(1.23);
  expect(rounded(72.96, 1)).toBe(73);
});
