import { machineAfter, sleepBy, type Time } from '@dreamfold/log';

/** The clock and the timers of the machine. Nothing else in this package asks for them. */
export const systemTime: Time = {
  now: () => Date.now(),
  sleep: (ms, signal) => sleepBy(systemTime.after, ms, signal),
  after: machineAfter,
};

/**
 * Keeps the process alive that waits for nothing but others.
 * @returns what ends it
 */
export function keepAlive(time: Time): () => void {
  let takeBack = (): void => {};
  const again = (): void => {
    takeBack = time.after(60_000, again);
  };
  again();
  return () => takeBack();
}
