import type { Command } from 'commander';
import { withRemedy } from '@dreamfold/events/errors';
import { DreamfoldError, isDreamfoldError, open, type VerifyReport } from 'dreamfold';
import { counted } from '../render/counted.ts';
import { dataDirectory, logUrl, withData } from '../data-directory.ts';
import { defineCommand } from '../define-command.ts';
import { EXIT } from '../exit-code.ts';
import type { Io } from '../io.ts';
import { oneLine } from '../render/printable.ts';
import { printShortList } from '../render/short-list.ts';

const SHOWN = 20;
const RESTORE = 'Restore the data directory from a copy, or import an export into a new one.';

export function register(program: Command, io: Io): void {
  defineCommand(program, {
    usage: 'verify',
    summary: 'check that nothing on the log was changed or lost',
    description:
      'Reads every event and blob and checks hashes, chains, gaps and the head of the log. Payloads that were erased on purpose still verify. Of a log on Kafka it checks the local replica, and lists the records of its topic that are no events of it. Ends with 3 when something is wrong. Works beside a process that runs sessions.',
    examples: ['verify', 'verify --data ./backup --json', 'verify --accept-head'],
  })
    .option('--accept-head', 'go on from what the database holds, although the end of the log was lost; the loss stays lost')
    .action(({ acceptHead = false }: { acceptHead?: boolean }, command: Command) => verify({ acceptHead, command }, io));
}

async function verify({ acceptHead, command }: { acceptHead: boolean; command: Command }, io: Io): Promise<void> {
  if (acceptHead) {
    if (logUrl(command) !== null) throw notOnKafka();
    // A data directory that is not there is not to be made by looking after it.
    await withData(command, { io, readOnly: true }, async () => {}).catch((error: unknown) => {
      if ((error as { code?: unknown }).code !== 'store_corrupt') throw error;
    });
    await (await open({ directory: dataDirectory(command), acceptHead })).close();
  }
  await withData(command, { io, readOnly: true }, async (dreamfold) => {
    const bar = io.progress('verifying');
    const report = await dreamfold.log.archive.verify((done, total) => bar.update(done, total));
    bar.stop();
    const ok = report.problems.length === 0;
    if (!ok) io.exitCode = EXIT.store;
    io.document({ ok, ...report });
    printReport(report, io);
    printMissing(report, io);
    printSetAside(report, io);
  }).catch((error: unknown) => {
    throw isDreamfoldError(error, 'store_corrupt') ? beyondReading(error) : error;
  });
}

/** What cannot even be opened says elsewhere that `verify` knows more. */
function beyondReading(error: DreamfoldError): DreamfoldError {
  return error.remedy.includes('`dreamfold verify`') ? withRemedy(error, RESTORE) : error;
}

function printReport({ events, streams, erased, blobs, problems, setAside }: VerifyReport, io: Io): void {
  const counts = `${counted(events, 'event')} in ${counted(streams, 'stream')}, ${counted(blobs, 'blob')}, ${counted(erased, 'erased payload')}`;
  if (problems.length === 0) {
    io.line(`${io.paint('green', 'All is as it was written')}: ${counts}.`);
    return;
  }
  io.line(`${io.paint('red', counted(problems.length, 'problem'))} in ${counts}:`);
  for (const { stream, seq, problem } of problems) io.line(`  ${stream ?? 'log'}${seq === null ? '' : `#${seq}`}: ${problem}`);
  const remedy =
    setAside === undefined
      ? RESTORE
      : 'Delete the replica, the folder kafka in the data directory, while nothing runs there: it is built again from the log.';
  io.line(remedy);
}

/** No problem either: envelope and hash are there, as of an erased payload. */
function printMissing({ missing = [] }: VerifyReport, io: Io): void {
  if (missing.length === 0) return;
  io.line(`${counted(missing.length, 'payload')} missing since an import with --skip-bad, in whose file it was bad:`);
  const lines = missing.map(({ stream, seq, reason }) => `${stream}#${seq}: ${oneLine(reason, 160)}`);
  printShortList(lines, { max: SHOWN }, io);
}

/** What others, or a torn write, have left in the topic. Nobody counts it, so it is no problem. */
function printSetAside({ setAside = [] }: VerifyReport, io: Io): void {
  if (setAside.length === 0) return;
  io.line(`${counted(setAside.length, 'record')} of the topic set aside, which no reader counts:`);
  const lines = setAside.map(({ partition, offset, reason }) => `partition ${partition}, offset ${offset}: ${reason}`);
  printShortList(lines, { max: SHOWN }, io);
}

function notOnKafka(): DreamfoldError {
  return new DreamfoldError('invalid_argument', '--accept-head is for a log in a data directory: the brokers keep a log on Kafka', {
    path: '--accept-head',
    remedy: 'Leave out --log, and unset DREAMFOLD_LOG; or leave out --accept-head.',
  });
}
