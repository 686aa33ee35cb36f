import { spawn } from 'node:child_process';
import { text as textOf } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { machine } from '../machine.ts';
import type { Bench } from '../rounds.ts';
import { textTable } from '../text-table.ts';
import type { WorkCounts } from './counters.ts';

export const WORK_JOBS = [
  'memory single',
  'memory team',
  'sqlite single',
  'sqlite team',
  'list of 10',
  'list of 1000',
  'dreams manual',
  'dreams auto',
  'import',
] as const;
/**
 * Steps of an agent or a team on one of the logs, counted a step; dreams on SQLite, counted a dream; the newest five of so many sessions, and
 * the import of `dreamfold`, counted once.
 */
export type WorkJob = (typeof WORK_JOBS)[number];

const COUNTERS = new URL('./counters.ts', import.meta.url);
const PROCESS = fileURLToPath(new URL('./work-process.ts', import.meta.url));

/** What a job asks of SQLite, of the hash, of JSON and of the clock, in a process of its own. */
export async function countWork(job: WorkJob): Promise<WorkCounts> {
  const child = spawn(process.execPath, ['--import', COUNTERS.href, PROCESS, job], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [out, code] = await Promise.all([textOf(child.stdout), new Promise((resolve) => child.on('close', resolve))]);
  if (code !== 0) throw new Error(`The process that counts ${job} ended with ${String(code)}`);
  return JSON.parse(out) as WorkCounts;
}

/** The work of every job: unlike a time, a count is the same on any machine. */
export const measureWork: Bench = async (_options, progress) => {
  const counts: Partial<Record<WorkJob, WorkCounts>> = {};
  for (const job of WORK_JOBS) {
    progress(job);
    counts[job] = await countWork(job);
  }
  const names = [...new Set(Object.values(counts).flatMap((count) => Object.keys(count)))].sort();
  return {
    document: { bench: 'work', machine: machine(), counts },
    text: textTable(
      ['counts of', ...WORK_JOBS],
      names.map((name) => [name, ...WORK_JOBS.map((job) => counts[job]?.[name] ?? 0)]),
    ),
  };
};
