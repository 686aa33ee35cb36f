import type { Membership } from '@dreamfold/log';
import { expect, test } from 'vitest';
import { takePlace } from './work-share.ts';

test('a place that was not given yet is waited for no longer, and is left when it comes all the same', async () => {
  const place = Promise.withResolvers<Membership>();
  let waited: AbortSignal | null = null;
  let hasLeft = false;
  const { leave } = takePlace(
    (_, signal) => {
      waited = signal;
      return place.promise;
    },
    () => {},
  );
  await leave();
  expect(waited!).toMatchObject({ aborted: true });
  place.resolve({
    leave: async () => {
      hasLeft = true;
    },
  });
  await expect.poll(() => hasLeft).toBe(true);
});
