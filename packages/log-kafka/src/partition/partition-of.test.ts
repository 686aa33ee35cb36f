import { expect, test } from 'vitest';
import { partitionOf } from './partition-of.ts';

test('streams spread evenly over the partitions', () => {
  const partitions = 12;
  const counts = Array.from({ length: partitions }, () => 0);
  for (let i = 0; i < 10_000; i += 1) counts[partitionOf(`session/sesn_${i.toString(36)}`, partitions)]! += 1;
  // 833 on average; the spread of a fair choice is 28, and four times that is 111.
  expect(Math.min(...counts)).toBeGreaterThan(722);
  expect(Math.max(...counts)).toBeLessThan(944);
});

test('a stream never moves from one release to the next', () => {
  const streams = ['session/sesn_1', 'memory/memstore_1', 'dream/drm_1', 'agent/a', 'log/other'];
  expect(streams.map((stream) => partitionOf(stream, 12))).toEqual([9, 1, 8, 5, 6]);
});

test('a genesis stands in its own partition', () => {
  expect(partitionOf('log/main', 12)).toBe(0);
  expect([1, 2, 11].map((k) => partitionOf(`log/partition-${k}`, 12))).toEqual([1, 2, 11]);
});

test.each([
  'log/partition-12',
  'log/partition-0',
  'log/partition-01',
  'log/partition-1e0',
  'log/partition--1',
  'log/partition-',
  '',
  'log/partition-9999999',
])('%s is a name like any other', (stream) => {
  expect([0, 1, 2]).toContain(partitionOf(stream, 3));
  expect(partitionOf(stream, 1)).toBe(0);
});
