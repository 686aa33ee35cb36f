import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemTime } from './system-time.ts';
import { Deadline } from './time-limit.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function given(): { deadline: Deadline; clock: { now: number }; passed: () => number } {
  const clock = { now: 1000 };
  let count = 0;
  const deadline = new Deadline({ ...systemTime, now: () => clock.now }, () => void (count += 1));
  return { deadline, clock, passed: () => count };
}

test('passes once, when its time has come on the clock', () => {
  const { deadline, clock, passed } = given();
  deadline.set(1500);
  clock.now = 1499;
  vi.advanceTimersByTime(500);
  expect([deadline.hasPassed, passed()]).toEqual([false, 0]);
  clock.now = 1500;
  vi.advanceTimersByTime(1);
  expect([deadline.hasPassed, passed()]).toEqual([true, 1]);
  deadline.set(1500);
  vi.advanceTimersByTime(10_000);
  expect(passed()).toBe(1);
});

test('waits on when the clock was set back, and longer than a timer can', () => {
  const { deadline, clock, passed } = given();
  deadline.set(1500);
  clock.now = 0;
  vi.advanceTimersByTime(1000);
  expect(passed()).toBe(0);
  clock.now = 0;
  deadline.set(2 ** 40);
  vi.advanceTimersByTime(60_000);
  expect(passed()).toBe(0);
});

test('is none when it was taken back', () => {
  const { deadline, clock, passed } = given();
  deadline.set(1500);
  deadline.set(null);
  clock.now = 2000;
  vi.advanceTimersByTime(1000);
  expect([deadline.hasPassed, passed()]).toEqual([false, 0]);
});
