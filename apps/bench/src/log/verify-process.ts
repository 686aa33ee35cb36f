// Verifies a log in a process of its own, so that its memory is that of verifying. Started by measureVerify with the directory.
import { performance } from 'node:perf_hooks';
import { openSqliteLog } from '@dreamfold/log/sqlite';
import type { VerifyMessage } from './verify-rate.ts';

/** Between two lines of progress. */
const NOTE_MS = 2000;

const [directory] = process.argv.slice(2) as [string];
const send = (message: VerifyMessage): void => void process.send!(message);

const rssMiB = (): number => process.memoryUsage.rss() / 2 ** 20;

const log = await openSqliteLog({ directory, readOnly: true });
const start = performance.now();
let early = { events: 0, rssMiB: 0 };
let peakRssMiB = 0;
let noted = start;
const report = await log.archive.verify((done, total) => {
  // The first tenth, at most 100,000 events: by then caches are full and code is compiled.
  if (early.events === 0 && done >= Math.min(100_000, total / 10)) early = { events: done, rssMiB: rssMiB() };
  if (early.events > 0) peakRssMiB = Math.max(peakRssMiB, rssMiB());
  if (performance.now() - noted < NOTE_MS) return;
  noted = performance.now();
  send({ kind: 'progress', done, total });
});
const seconds = (performance.now() - start) / 1000;
const lateRssMiB = rssMiB();
await log.close();
send({ kind: 'done', seconds, events: report.events, problems: report.problems.length, early, lateRssMiB, peakRssMiB });
process.disconnect();
