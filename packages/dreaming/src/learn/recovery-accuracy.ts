import type { ErrorPoint } from '../episodes/episode.ts';
import { nextStep, noteError, type Recoveries } from './recoveries.ts';

/** The errors of one recorded run, and the task that it was about. */
export interface RecordedErrors {
  task: string;
  errors: readonly ErrorPoint[];
}

export interface RecoveryAccuracy {
  splits: number;
  /** Held-out errors that something followed, over all splits. */
  errors: number;
  /** Those of a signature that the other tasks had too. */
  seen: number;
  /** Of these, those that went on as was said. */
  right: number;
}

/** Runs of the same task have the same errors, so whole tasks are held out: of five tasks, one. */
const HELD_OUT_SHARE = 0.2;

/**
 * How well the next step after an error is known for tasks that were not learnt from.
 * @param runs the errors of each
 * @param options `random` is uniform in [0, 1), seeded by the caller
 */
export function recoveryAccuracy(
  runs: readonly RecordedErrors[],
  { splits, random }: { splits: number; random: () => number },
): RecoveryAccuracy {
  const tasks = [...new Set(runs.map(({ task }) => task))].sort();
  const total: RecoveryAccuracy = { splits, errors: 0, seen: 0, right: 0 };
  for (let split = 0; split < splits; split += 1) {
    const drawn = tasks.map((task) => ({ task, at: random() })).sort((a, b) => a.at - b.at);
    const held = new Set(drawn.slice(0, Math.round(tasks.length * HELD_OUT_SHARE)).map(({ task }) => task));
    const recoveries: Recoveries = new Map();
    for (const { task, errors } of runs) if (!held.has(task)) for (const error of errors) noteError(recoveries, error);
    for (const { task, errors } of runs) {
      if (!held.has(task)) continue;
      for (const error of errors) {
        if (error.next === null) continue;
        const next = nextStep(recoveries, error);
        total.errors += 1;
        if (next !== null) total.seen += 1;
        if (next === error.next) total.right += 1;
      }
    }
  }
  return total;
}
