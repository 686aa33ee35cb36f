import { setTimeout as sleep } from 'node:timers/promises';
import { isDreamfoldError, type DreamfoldError } from '@dreamfold/events/errors';
import type { Io } from './io.ts';

/** What the system says of a machine or port where nobody listens. A name that is not known is that of a container that is not up yet. */
const NOBODY: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ETIMEDOUT',
]);

const WAIT_MS = { first: 500, most: 5_000 };

/** A broker that has just begun to answer may refuse so often in a row what it does a moment later. */
const MOST_STARTING = 10;

interface Waiting {
  io: Io;
  until: AbortSignal;
  pause?: (ms: number) => Promise<void>;
}

/**
 * Opens what a command stays with: while no broker is there it waits, says so once, and goes on when one answers. Anything else that is wrong
 * ends it, as a password or a setting does.
 */
export async function onceBrokersAnswer<T>(
  open: () => Promise<T>,
  { io, until, pause = (ms) => sleep(ms, undefined, { signal: until }) }: Waiting,
): Promise<T> {
  let told: string | null = null;
  let starting = 0;
  for (let tries = 0; ; tries += 1) {
    try {
      return await open();
    } catch (error) {
      starting = isNobodyThere(error) ? 0 : starting + 1;
      const waits = starting === 0 || (told !== null && starting < MOST_STARTING && isDreamfoldError(error, 'store_unavailable'));
      if (until.aborted || !waits) throw error;
      const { message } = error as DreamfoldError;
      if (message !== told) io.news(`${message} It is tried again until a broker answers.`);
      told = message;
      await pause(Math.min(WAIT_MS.first * 2 ** Math.min(tries, 10), WAIT_MS.most));
    }
  }
}

function isNobodyThere(error: unknown): boolean {
  if (!isDreamfoldError(error, 'store_unavailable')) return false;
  for (let cause: unknown = error.cause; cause instanceof Error; cause = cause.cause) {
    if (NOBODY.has((cause as NodeJS.ErrnoException).code) || /in time|timeout/i.test(cause.message)) return true;
  }
  return false;
}
