import type { Log, Time } from '@dreamfold/log';
import { systemTime } from './system-time.ts';

/** What whoever waits, or draws lots, takes from outside: so that a simulated world can give it. */
export interface Surroundings {
  time: Time;
  /** From 0 to 1 (exclusive). */
  random: () => number;
}

/** A log, and how time passes for those who write to it. */
export type LogInTime = Surroundings & { log: Log };

export const MACHINE: Surroundings = { time: systemTime, random: () => Math.random() };
