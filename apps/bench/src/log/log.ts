import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { machine } from '../machine.ts';
import type { Bench, BenchOptions, Progress, Report } from '../rounds.ts';
import { inScratchDirectory } from '../scratch-directory.ts';
import { target } from '../target.ts';
import { targetTable, textTable } from '../text-table.ts';
import { measureAppend } from './append-rate.ts';
import { recordRuns } from './recorded-runs.ts';
import { measureReplay } from './replay-rate.ts';
import { measureVerify } from './verify-rate.ts';

/** Pairs of sessions, one of an agent and one of a team, that are replayed. */
const RECORDED_PAIRS = 30;

export const measureLog: Bench = (options, progress) => inScratchDirectory((directory) => measure(directory, options, progress));

async function measure(directory: string, options: BenchOptions, progress: Progress): Promise<Report> {
  const before = machine();
  const [source, verified] = ['source', 'verified'].map((name) => join(directory, name)) as [string, string];
  for (const path of [source, verified]) mkdirSync(path);
  progress('recording sessions');
  await recordRuns(source, RECORDED_PAIRS);
  const append = await measureAppend(source, options, progress);
  const replay = await measureReplay(source, options, progress);
  const verify = await measureVerify({ directory: verified, source }, options.events, progress);
  const targets = [
    target('append: rate to that of a bare insert', append.ratio, { atLeast: 0.5, unit: '×' }),
    target('replay: rate to that of SELECT and JSON.parse', replay.ratio, { atLeast: 0.7, unit: '×' }),
    target(`verify: memory growth after the first ${verify.early.events} events`, verify.rssGrowthMiB, { atMost: 30, unit: 'MiB' }),
  ];
  const rates = [
    [`append, ${append.batch} events in a transaction`, append.append.min, append.append.median],
    ['bare insert of the rows that this stores', append.bare.min, append.bare.median],
    [`replay of ${replay.sessions} sessions`, replay.replay.min, replay.replay.median],
    ['bare SELECT and JSON.parse of their rows', replay.bare.min, replay.bare.median],
  ];
  return {
    document: { bench: 'log', machine: before, options, append, replay, verify, targets },
    text: [
      textTable(['µs per event', 'min', 'median'], rates),
      `verify: ${verify.events} events in ${verify.seconds} s (${verify.eventsPerSecond} a second), ${verify.rssMiB} MiB at the end`,
      targetTable(targets),
    ].join('\n\n'),
  };
}
