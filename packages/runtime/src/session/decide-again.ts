import { isDreamfoldError } from '@dreamfold/events';
import { backoffMs } from '@dreamfold/core';
import type { Surroundings } from '../time/surroundings.ts';

/** So long a change to a stream is tried again while others are faster, and so often: where news come late, a try takes seconds. */
const LIMIT = { ms: 10_000, tries: 10 };
const PAUSE = { firstMs: 1, maxMs: 20 };

/**
 * Repeats what reads a stream, decides and appends, while another writer was faster. The pauses are random, so that of several
 * writers none loses for ever to one that has just written and need not read.
 * @throws DreamfoldError head_conflict after 10 s and ten tries that were lost, and what `change` throws
 */
export async function decideAgain<T>(change: () => Promise<T>, { time, random }: Surroundings): Promise<T> {
  const end = time.now() + LIMIT.ms;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await change();
    } catch (error) {
      if (!isDreamfoldError(error, 'head_conflict') || (time.now() >= end && attempt >= LIMIT.tries)) throw error;
    }
    await time.sleep(random() * backoffMs(attempt, PAUSE));
  }
}
