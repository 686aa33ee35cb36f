import { expect, test } from 'vitest';
import { backoffMs } from './backoff.ts';

test('each pause is twice the one before, up to the longest', () => {
  const pauses = [1, 2, 3, 4, 5, 6, 5000].map((failures) => backoffMs(failures, { firstMs: 100, maxMs: 1500 }));
  expect(pauses).toEqual([100, 200, 400, 800, 1500, 1500, 1500]);
});
