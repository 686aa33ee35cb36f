import { isDreamfoldError } from '@dreamfold/events';
import { backoffMs } from '@dreamfold/core';
import type { Surroundings } from '../time/surroundings.ts';

/** So long a change to a stream is tried again while others are faster. */
const MAX_MS = 10_000;
const PAUSE = { firstMs: 1, maxMs: 20 };

/**
 * Repeats what reads a stream, decides and appends, while another writer was faster. The pauses are random, so that of several
 * writers none loses for ever to one that has just written and need not read.
 * @throws DreamfoldError head_conflict after 10 s of losing, and what `change` throws
 */
export async function decideAgain<T>(change: () => Promise<T>, { time, random }: Surroundings): Promise<T> {
  const end = time.now() + MAX_MS;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await change();
    } catch (error) {
      if (!isDreamfoldError(error, 'head_conflict') || time.now() >= end) throw error;
    }
    await time.sleep(random() * backoffMs(attempt, PAUSE));
  }
}
