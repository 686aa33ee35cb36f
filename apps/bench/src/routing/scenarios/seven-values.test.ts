import { expect, test } from 'vitest';
import { BANKING77, readRequests } from '../request-file.ts';
import { sevenValues } from './seven-values.ts';

function sharesOf(requests: readonly { queue: string }[]): number[] {
  const counts = [...Map.groupBy(requests, ({ queue }) => queue).values()].map((own) => own.length / requests.length);
  return counts.sort((a, b) => b - a);
}

test('seven groups are about equal, or unequal from 0.09 to 0.23', () => {
  const requests = readRequests(BANKING77);
  const { equal, unequal } = sevenValues(requests);
  expect(equal.map(({ text }) => text)).toEqual(requests.map(({ text }) => text));
  expect(Math.max(...sharesOf(equal)) - Math.min(...sharesOf(equal))).toBeLessThan(0.02);
  expect(sharesOf(unequal)).toHaveLength(7);
  expect(sharesOf(unequal)[0]).toBeCloseTo(0.23, 1);
  expect(sharesOf(unequal).at(-1)).toBeCloseTo(0.09, 1);
});
