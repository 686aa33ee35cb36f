import { setTimeout as sleep } from 'node:timers/promises';
import { isDreamfoldError } from '@dreamfold/events';

/** So long a change to a stream is tried again while others are faster. */
const MAX_MS = 10_000;
const MAX_PAUSE_MS = 20;

/**
 * Repeats what reads a stream, decides and appends, while another writer was faster. The pauses are random, so that of several
 * writers none loses for ever to one that has just written and need not read.
 * @throws DreamfoldError head_conflict after 10 s of losing, and what `change` throws
 */
export async function decideAgain<T>(change: () => Promise<T>): Promise<T> {
  const end = performance.now() + MAX_MS;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await change();
    } catch (error) {
      if (!isDreamfoldError(error, 'head_conflict') || performance.now() >= end) throw error;
    }
    await sleep(Math.random() * Math.min(attempt, MAX_PAUSE_MS));
  }
}
