import { expect, test } from 'vitest';
import { systemTime } from './system-time.ts';

test('a wait that was called off before is not begun, one that is called off ends', async () => {
  const stop = new AbortController();
  const waiting = systemTime.sleep(60_000, stop.signal);
  stop.abort(new RangeError('over'));
  await expect(waiting).rejects.toThrow('over');
  await expect(systemTime.sleep(60_000, stop.signal)).rejects.toThrow('over');
});

test('what is taken back does not come', async () => {
  const came: string[] = [];
  const takeBack = [0, 1].map((ms) => systemTime.after(ms, () => came.push('taken back')));
  systemTime.after(1, () => came.push('background'), { background: true });
  for (const back of takeBack) back();
  await systemTime.sleep(20);
  expect(came).toEqual(['background']);
});

test('0 ms let what is ready run first', async () => {
  const order: string[] = [];
  const turn = systemTime.sleep(0).then(() => order.push('turn'));
  for (let i = 0; i < 5; i += 1) await Promise.resolve();
  order.push('microtasks');
  await turn;
  expect(order).toEqual(['microtasks', 'turn']);
});
