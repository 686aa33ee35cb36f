import { expect, test } from 'vitest';
import { VirtualTime } from './virtual-time.ts';

const forEver = (): boolean => false;

test('goes on when nothing can run, in the order of the timers', async () => {
  const time = new VirtualTime(1_000);
  const seen: string[] = [];
  const note = (what: string) => (): void => void seen.push(`${time.now()} ${what}`);
  time.after(20, note('second'));
  time.after(20, note('third'));
  time.after(10, note('first'));
  void time.sleep(5).then(async () => {
    for (let i = 0; i < 50; i += 1) await Promise.resolve();
    note('promises')();
  });
  expect(await time.run(forEver, 1_020)).toBe(false);
  expect(seen).toEqual(['1005 promises', '1010 first', '1020 second', '1020 third']);
});

test('stops when something holds, or at a time, and goes on from there', async () => {
  const time = new VirtualTime(0);
  let done = 0;
  for (const ms of [10, 20, 30]) time.after(ms, () => (done += 1));
  expect(await time.run(() => done === 1, 100)).toBe(true);
  expect([time.now(), done]).toEqual([10, 1]);
  expect(await time.run(forEver, 25)).toBe(false);
  expect([time.now(), done]).toEqual([20, 2]);
  expect(await time.run(() => done === 3, 100)).toBe(true);
});

test('what is taken back does not come', async () => {
  const time = new VirtualTime(0);
  const stop = new AbortController();
  const waiting = time.sleep(10, stop.signal);
  stop.abort(new RangeError('over'));
  await expect(waiting).rejects.toThrow('over');
  const takeBack = time.after(10, () => expect.fail('it came'));
  takeBack();
  expect(await time.run(forEver, 100)).toBe(false);
});
