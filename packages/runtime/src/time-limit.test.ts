import { expect, test } from 'vitest';
import { withTimeLimit } from './time-limit.ts';

const open = (): AbortSignal => new AbortController().signal;
const late = (): Error => new Error('too late');
const never = (): Promise<never> => new Promise<never>(() => {});

test('what is called off already is not begun', async () => {
  let begun = false;
  const work = (): void => {
    begun = true;
  };
  const signal = AbortSignal.abort(new RangeError('over'));
  await expect(withTimeLimit(work, { ms: 1000, signal, onTimeout: late })).rejects.toThrow('over');
  expect(begun).toBe(false);
});

test('what takes too long is told so, by the signal that it was given', async () => {
  let given: AbortSignal | undefined;
  const work = (signal: AbortSignal): Promise<never> => {
    given = signal;
    return never();
  };
  await expect(withTimeLimit(work, { ms: 5, signal: open(), onTimeout: late })).rejects.toThrow('too late');
  expect(given?.reason).toMatchObject({ message: 'too late' });
});

test('what calls itself off while it begins is not waited for', async () => {
  const own = new AbortController();
  const work = (): Promise<never> => {
    own.abort(new RangeError('over'));
    return never();
  };
  await expect(withTimeLimit(work, { ms: 60_000, signal: own.signal, onTimeout: late })).rejects.toThrow('over');
});

test('what ends in time is what it comes to, at once or later', async () => {
  const limit = { ms: 1000, signal: open(), onTimeout: late };
  expect(await withTimeLimit(() => 1, limit)).toBe(1);
  expect(await withTimeLimit(async () => 2, limit)).toBe(2);
  await expect(withTimeLimit(() => Promise.reject(new Error('own')), limit)).rejects.toThrow('own');
});
