import { expect, test } from 'vitest';
import { systemTime } from './system-time.ts';
import { withPart, withTimeLimit } from './time-limit.ts';

const time = systemTime;

const late = (): Error => new Error('too late');
const never = (): Promise<never> => new Promise<never>(() => {});
const aborted = (): AbortController => {
  const controller = new AbortController();
  controller.abort(new RangeError('over'));
  return controller;
};

test('what is called off already is not begun', async () => {
  let begun = false;
  const work = (): void => {
    begun = true;
  };
  await expect(withTimeLimit(work, { time, ms: 1000, controller: aborted(), onTimeout: late })).rejects.toThrow('over');
  await expect(
    withPart(aborted().signal, (controller) => withTimeLimit(work, { time, ms: 1000, controller, onTimeout: late })),
  ).rejects.toThrow('over');
  expect(begun).toBe(false);
});

test('what takes too long is told so, and nothing but its own part of the work', async () => {
  const whole = new AbortController();
  let told: unknown;
  const limited = withPart(whole.signal, (controller) => {
    controller.signal.addEventListener('abort', () => (told = controller.signal.reason));
    return withTimeLimit(never, { time, ms: 5, controller, onTimeout: late });
  });
  await expect(limited).rejects.toThrow('too late');
  expect(told).toMatchObject({ message: 'too late' });
  expect(whole.signal.aborted).toBe(false);
});

test('a part ends with the whole', async () => {
  const whole = new AbortController();
  const limited = withPart(whole.signal, (controller) => withTimeLimit(never, { time, ms: 60_000, controller, onTimeout: late }));
  whole.abort(new RangeError('over'));
  await expect(limited).rejects.toThrow('over');
});

test('what calls itself off while it begins is not waited for', async () => {
  const controller = new AbortController();
  const work = (): Promise<never> => {
    controller.abort(new RangeError('over'));
    return never();
  };
  await expect(withTimeLimit(work, { time, ms: 60_000, controller, onTimeout: late })).rejects.toThrow('over');
});

test('what ends in time is what it comes to, at once or later', async () => {
  const limit = { time, ms: 1000, controller: new AbortController(), onTimeout: late };
  expect(await withTimeLimit(() => 1, limit)).toBe(1);
  expect(await withTimeLimit(async () => 2, limit)).toBe(2);
  await expect(withTimeLimit(() => Promise.reject(new Error('own')), limit)).rejects.toThrow('own');
});
