import { fork } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { openSqliteLog } from '@dreamfold/log/sqlite';
import type { Progress } from '../rounds.ts';
import { rounded } from '../statistics.ts';
import { appendRun, firstRun } from './recorded-runs.ts';

/** What the process that verifies tells. */
export type VerifyMessage =
  | { kind: 'progress'; done: number; total: number }
  | {
      kind: 'done';
      seconds: number;
      events: number;
      problems: number;
      /** When the first tenth was read, at most 100,000 events. */
      early: { events: number; rssMiB: number };
      lateRssMiB: number;
      peakRssMiB: number;
    };

export interface VerifyRate {
  events: number;
  seconds: number;
  eventsPerSecond: number;
  early: { events: number; rssMiB: number };
  rssMiB: number;
  peakRssMiB: number;
  /** From the early figure to the highest after it. */
  rssGrowthMiB: number;
}

/**
 * Verifies a log of at least so many events, which it first writes to `directory`.
 * @param source the data directory with the run that is written again and again
 * @throws Error when the log does not verify
 */
export async function measureVerify(
  { directory, source }: { directory: string; source: string },
  events: number,
  progress: Progress,
): Promise<VerifyRate> {
  await write(directory, { source, events }, progress);
  const child = fork(fileURLToPath(new URL('./verify-process.ts', import.meta.url)), [directory], { execArgv: ['--expose-gc'] });
  let result: Extract<VerifyMessage, { kind: 'done' }> | null = null;
  child.on('message', (message: VerifyMessage) => {
    if (message.kind === 'progress') progress(`verify: ${message.done} of ${message.total} events`);
    else result = message;
  });
  await once(child, 'exit');
  if (result === null) throw new Error('The process that verifies ended without a result');
  const { problems, seconds, early, lateRssMiB, peakRssMiB, events: verified } = result as Extract<VerifyMessage, { kind: 'done' }>;
  if (problems > 0) throw new Error(`A log that was just written does not verify: ${problems} problems`);
  return {
    events: verified,
    seconds: rounded(seconds),
    eventsPerSecond: Math.round(verified / seconds),
    early: { events: early.events, rssMiB: rounded(early.rssMiB, 1) },
    rssMiB: rounded(lateRssMiB, 1),
    peakRssMiB: rounded(peakRssMiB, 1),
    rssGrowthMiB: rounded(peakRssMiB - early.rssMiB, 1),
  };
}

/** Between two lines of progress. */
const NOTE_MS = 2000;

async function write(directory: string, { source, events }: { source: string; events: number }, progress: Progress): Promise<void> {
  const run = await firstRun(source);
  const log = await openSqliteLog({ directory });
  let noted = performance.now();
  for (let n = 0; n * run.length < events; n += 1) {
    await appendRun(log, run, n);
    if (performance.now() - noted < NOTE_MS) continue;
    noted = performance.now();
    progress(`verify: ${n * run.length} of ${events} events written`);
  }
  await log.close();
}
