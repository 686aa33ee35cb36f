import { Cron } from 'croner';
import { z } from 'zod';
import { DreamfoldError } from '@dreamfold/events';
import type { Constitution } from '@dreamfold/dreaming';

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

// Strict: a rule that is spelt wrong must not be one that never dreams.
const Checked = z.strictObject({
  store: z.string().min(1),
  after: z.int().min(1).optional(),
  schedule: z.string().optional(),
  constitution: z
    .array(z.object({ name: z.string(), check: z.custom((value) => typeof value === 'function', 'is not a function') }))
    .optional(),
});

/**
 * Checks rules before anything is opened or written.
 * @throws DreamfoldError invalid_argument, with `dreams/0/after` and the like as path
 */
export function checkDreamRules(rules: readonly DreamRule[]): void {
  if (rules.length === 0) throw wrong({ path: 'dreams', value: rules, why: 'there is no store to dream for', remedy: 'Name a store.' });
  const stores = new Set<string>();
  for (const [i, rule] of rules.entries()) {
    const checked = Checked.safeParse(rule, { reportInput: true });
    if (!checked.success) throw wrongField(`dreams/${i}`, checked.error.issues[0]!);
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

/** Calls `tick` at the times of a schedule until it is stopped. */
export function startSchedule(schedule: string, tick: () => void): { stop: () => void } {
  return new Cron(schedule, { mode: '5-or-6-parts' }, tick);
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

function wrongField(at: string, issue: z.core.$ZodIssue): DreamfoldError {
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const path = [at, ...issue.path, ...unknown].join('/');
  const remedy = unknown.length > 0 ? `Give ${Object.keys(Checked.shape).join(', ')}.` : 'Correct the value.';
  return wrong({ path, value: issue.input, why: `${path}: ${issue.message}`, remedy });
}

function wrong({ path, value, why, remedy }: { path: string; value: unknown; why: string; remedy: string }): DreamfoldError {
  return new DreamfoldError('invalid_argument', `When to dream: ${why}`, { path, value, remedy });
}
