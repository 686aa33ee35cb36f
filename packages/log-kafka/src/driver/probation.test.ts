import { expect, test } from 'vitest';
import { passProbation } from './probation.ts';

/** How long a newcomer waits where a group has these members, look by look, and then the last. */
async function waited(members: readonly (number | Error)[], sessionTimeoutMs = 10_000): Promise<number> {
  let livedMs = 0;
  let looks = 0;
  await passProbation({
    members: async () => {
      const found = members[Math.min(looks, members.length - 1)]!;
      looks += 1;
      if (found instanceof Error) throw found;
      return await Promise.resolve(found);
    },
    sessionTimeoutMs,
    pause: async (ms) => {
      livedMs += ms;
      await Promise.resolve();
    },
  });
  return livedMs;
}

test('a newcomer waits for a session time-out where there are others, and not where it is alone', async () => {
  expect(await waited([2])).toBe(10_000);
  expect(await waited([2], 2_000)).toBe(2_000);
  expect(await waited([0])).toBe(0);
});

test('it waits no longer than for others to be gone', async () => {
  expect(await waited([1, 1, 1, 0])).toBe(3_000);
});

test('members that it can’t ask for may be there', async () => {
  expect(await waited([new Error('no answer')])).toBe(10_000);
});

test('a log that is closed ends the wait', async () => {
  const pause = (): Promise<void> => Promise.reject(new Error('closed'));
  await expect(passProbation({ members: () => Promise.resolve(1), sessionTimeoutMs: 10_000, pause })).rejects.toThrow('closed');
});
