import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seeded } from '@dreamfold/core/testing';
import { recoveryAccuracy, SessionReader, type RecordedErrors } from '@dreamfold/dreaming';
import { isDreamfoldError, open, type Dreamfold, type EventData } from 'dreamfold';
import { machine } from '../machine.ts';
import type { Bench, Progress, Report } from '../rounds.ts';
import { rounded, spread } from '../statistics.ts';
import { target } from '../target.ts';
import { targetTable, textTable } from '../text-table.ts';
import { UsageError } from '../usage-error.ts';

/** The runs that are used when none are named: 200 of an airline's desk, by sierra-research/tau-bench. */
const AIRLINE = fileURLToPath(new URL('../../../../../shared/data/tau-airline', import.meta.url));
/** Of the errors whose signature was seen in other tasks, so many are to be followed by what was said. */
const LIMIT = 0.75;

/** How well the step after an error is known for tasks that were not learnt from. */
export const measureRecovery: Bench = async ({ recordedRuns: directory = AIRLINE, splits, seed }, progress) => {
  const before = machine();
  const dreamfold = await open();
  try {
    await importRuns(dreamfold, directory, progress);
    const runs = await errorsOf(dreamfold);
    const tasks = new Set(runs.map(({ task }) => task)).size;
    return reportOf(runs, { directory, splits, seed, machine: before, runs: runs.length, tasks });
  } finally {
    await dreamfold.close();
  }
};

/** @throws UsageError */
async function importRuns(dreamfold: Dreamfold, directory: string, progress: Progress): Promise<void> {
  let files: string[];
  try {
    files = readdirSync(directory).filter((file) => file.endsWith('.json'));
  } catch (cause) {
    throw new UsageError(`${directory} can't be read: ${(cause as Error).message}. Name a directory of tau-bench results with --runs.`, {
      cause,
    });
  }
  if (files.length === 0) throw new UsageError(`${directory} holds no .json file. Name a directory of tau-bench results with --runs.`);
  for (const file of files.sort()) {
    progress(`importing ${file}`);
    try {
      await dreamfold.import({ file: join(directory, file), format: 'tau-bench' });
    } catch (cause) {
      throw isDreamfoldError(cause) ? new UsageError(`${cause.message} ${cause.remedy}`, { cause }) : cause;
    }
  }
}

/** What a dream sees of each run: its errors, and what followed them. */
async function errorsOf(dreamfold: Dreamfold): Promise<RecordedErrors[]> {
  const runs: RecordedErrors[] = [];
  for await (const id of dreamfold.sessions()) {
    const reader = new SessionReader();
    let task = id;
    for await (const event of dreamfold.events(id)) {
      reader.add(event);
      if (event.type === 'session.created') task = (event.data as EventData['session.created']).metadata?.['task_id'] ?? id;
    }
    runs.push({ task, errors: reader.episode()?.errors ?? [] });
  }
  return runs;
}

function reportOf(
  runs: readonly RecordedErrors[],
  about: { directory: string; splits: number; seed: number } & Record<string, unknown>,
): Report {
  const { splits } = about;
  const random = seeded(about.seed);
  const each = Array.from({ length: splits }, () => recoveryAccuracy(runs, { splits: 1, random }));
  const errors = each.reduce((sum, split) => sum + split.errors, 0);
  const told = each.filter(({ seen }) => seen > 0);
  if (told.length === 0) throw new UsageError(`In ${about.directory} no error of a held-out task was seen in another one. Give more runs.`);
  const seen = told.reduce((sum, split) => sum + split.seen, 0);
  const right = told.reduce((sum, split) => sum + split.right, 0);
  const shares = told.map((split) => split.right / split.seen);
  // A split holds a dozen errors, so its own figure says little; all of them together say more.
  const top1 = { ...spread(shares, 4), pooled: rounded(right / seen, 4) };
  const seenShare = rounded(seen / errors, 4);
  const wanted = target('next step after an error seen before, median', top1.median, { atLeast: LIMIT, unit: '' });
  return {
    document: { bench: 'recovery', ...about, errors, seenShare, top1, target: wanted },
    text: [
      textTable(
        ['recovery', ''],
        [
          ['runs', `${about['runs'] as number} of ${about['tasks'] as number} tasks`],
          ['splits by task', splits],
          ['held-out errors, over all splits', errors],
          ['with a signature seen before', seenShare.toFixed(4)],
          ['of these right: median', top1.median.toFixed(4)],
          ['min', top1.min.toFixed(4)],
          ['max', top1.max.toFixed(4)],
          ['all splits together', top1.pooled.toFixed(4)],
        ],
      ),
      targetTable([wanted]),
    ].join('\n\n'),
  };
}
