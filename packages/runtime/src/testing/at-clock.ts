import { MACHINE, type Surroundings } from '../time/surroundings.ts';

/** The machine's timers, with another clock. */
export function atClock(now: () => number): Surroundings {
  return { ...MACHINE, time: { ...MACHINE.time, now } };
}
