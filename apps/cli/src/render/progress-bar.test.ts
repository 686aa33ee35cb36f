import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ProgressBar } from './progress-bar.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

test.each([true, false])('tells how long it takes only when it knows, on a terminal: %s', (isTTY) => {
  const stream = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY, columns: 80 });
  const bar = new ProgressBar('reading', stream as unknown as NodeJS.WriteStream);
  vi.advanceTimersByTime(1000);
  bar.update(10, 100);
  bar.update(10, 100);
  vi.advanceTimersByTime(2000);
  bar.update(10, 100);
  vi.advanceTimersByTime(2000);
  bar.update(40, 100);
  vi.advanceTimersByTime(2000);
  bar.stop();
  const said = String(stream.read()).match(/\d+\/100 \| .*? left/g)!;
  expect(said.filter((line) => !/^\d+\/100 \| (?:\d+s|\?) left$/.test(line))).toEqual([]);
  expect(said).toContain('10/100 | ? left');
  expect(said.at(-1)).toMatch(/^40\/100 \| \d+s left$/);
});

test('begins each line with the time where those of others do', () => {
  const stream = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY: false, columns: 80 });
  const bar = new ProgressBar('catching up', stream as unknown as NodeJS.WriteStream, () => `${performance.now()} `);
  vi.advanceTimersByTime(1000);
  bar.update(10, 100);
  vi.advanceTimersByTime(2000);
  bar.update(40, 100);
  vi.advanceTimersByTime(2000);
  bar.stop();
  const lines = String(stream.read()).match(/^.+$/gm)!;
  expect(lines.length).toBeGreaterThan(1);
  expect(lines.filter((line) => !/^\d+ catching up \[/.test(line))).toEqual([]);
});
