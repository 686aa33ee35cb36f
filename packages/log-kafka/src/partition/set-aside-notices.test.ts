import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SetAsideNotices } from './set-aside-notices.ts';

let told: string[];
let notices: SetAsideNotices;
beforeEach(() => {
  vi.useFakeTimers();
  told = [];
  notices = new SetAsideNotices((message) => told.push(message));
});
afterEach(() => void vi.useRealTimers());

const add = (partition: number, offset: number): void => notices.add({ partition, offset, reason: 'broken' });

test('a hundred records that a stranger wrote are a line for each partition, and later a line a minute', () => {
  for (let offset = 0; offset < 98; offset += 1) add(offset % 2, offset);
  vi.advanceTimersByTime(500);
  expect(told).toEqual([
    '49 records of partition 0, the last at offset 96, are no events of this log; they were set aside with their bytes, and `dreamfold verify` lists them.',
    '49 records of partition 1, the last at offset 97, are no events of this log; they were set aside with their bytes, and `dreamfold verify` lists them.',
  ]);
  add(0, 200);
  vi.advanceTimersByTime(1_000);
  add(0, 201);
  add(0, 202);
  expect(told).toHaveLength(2);
  vi.advanceTimersByTime(60_000);
  expect(told).toHaveLength(3);
  expect(told[2]).toContain('3 records of partition 0, the last at offset 202');
  vi.advanceTimersByTime(600_000);
  expect(told).toHaveLength(3);
});

test('a single one is told by its offset and what it is; what ends tells what is left', () => {
  notices.add({ partition: 4, offset: 7, reason: 'torn' });
  notices.flush();
  expect(told).toEqual([
    'The record at offset 7 of partition 4 belongs to an append of which the rest is missing; it was set aside with its bytes.',
  ]);
  notices.flush();
  expect(told).toHaveLength(1);
});
