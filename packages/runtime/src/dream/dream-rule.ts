import { Cron } from 'croner';
import { z } from 'zod';
import { checked, DreamfoldError, optionsOf, Text } from '@dreamfold/events';
import type { Constitution } from '@dreamfold/dreaming';
import type { Time } from '@dreamfold/log';
import { ConstitutionShape } from '../memory/constitution-file.ts';
import { atTime } from '../time/time-limit.ts';

/** When a store dreams without being asked. With neither `after` nor `schedule`: after every finished session. */
export interface DreamRule {
  /** Name or id of the store. */
  store: string;
  /** Dream once so many finished sessions hold something that no dream of the store has reviewed. */
  after?: number;
  /** Dream at these times when there is anything new: cron, with five fields, or six with seconds first; in the machine's time zone. */
  schedule?: string;
  /** What the operator allows in no memory. */
  constitution?: Constitution;
}

const Rule = optionsOf<DreamRule>({
  store: Text,
  after: z.int().min(1).optional(),
  schedule: z.string().optional(),
  constitution: ConstitutionShape.optional(),
});

/**
 * Checks rules before anything is opened or written.
 * @throws DreamfoldError invalid_argument, with `dreams/0/after` and the like as path
 */
export function checkDreamRules(rules: readonly DreamRule[]): void {
  if (rules.length === 0) throw wrong({ path: 'dreams', value: rules, why: 'there is no store to dream for', remedy: 'Name a store.' });
  const stores = new Set<string>();
  for (const [i, rule] of rules.entries()) {
    checked(Rule, rule, { what: `When to dream: dreams/${i}`, at: `dreams/${i}` });
    if (rule.schedule !== undefined) checkSchedule(rule.schedule, `dreams/${i}/schedule`);
    if (stores.has(rule.store)) {
      throw wrong({
        path: `dreams/${i}/store`,
        value: rule.store,
        why: 'the store is named twice',
        remedy: 'Give each store one rule; it may have both `after` and `schedule`.',
      });
    }
    stores.add(rule.store);
  }
}

/**
 * Calls `tick` at the times of a schedule.
 * @returns what stops it
 */
export function startSchedule(schedule: string, time: Time, tick: () => void): () => void {
  const job = new Cron(schedule, { mode: '5-or-6-parts', paused: true });
  let takeBack = (): void => {};
  const wait = (): void => {
    const next = job.nextRun(new Date(time.now()));
    if (next === null) return;
    const onTime = (): void => {
      wait();
      tick();
    };
    takeBack = atTime(next.getTime(), onTime, { time });
  };
  wait();
  return () => takeBack();
}

function checkSchedule(schedule: string, path: string): void {
  const remedy = 'Write five fields: minute, hour, day of month, month, day of week; such as "0 3 * * *" for every day at three.';
  let job: Cron;
  try {
    job = new Cron(schedule, { mode: '5-or-6-parts', paused: true });
  } catch (error) {
    const why = `${JSON.stringify(schedule)} is no schedule: ${(error as Error).message.replace(/^CronPattern: /, '')}`;
    throw wrong({ path, value: schedule, why, remedy });
  }
  // A date alone is taken too, for one run.
  const why =
    job.getPattern() === undefined
      ? `${JSON.stringify(schedule)} is a date and no schedule`
      : job.nextRun() === null
        ? `the times of ${JSON.stringify(schedule)} never come`
        : null;
  if (why !== null) throw wrong({ path, value: schedule, why, remedy });
}

function wrong({ path, value, why, remedy }: { path: string; value: unknown; why: string; remedy: string }): DreamfoldError {
  return new DreamfoldError('invalid_argument', `When to dream: ${why}`, { path, value, remedy });
}
