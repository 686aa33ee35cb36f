import type { Command } from 'commander';
import { open, type VerifyReport } from 'dreamfold';
import { counted } from '../counted.ts';
import { dataDirectory, withData } from '../data-directory.ts';
import { defineCommand } from '../define-command.ts';
import { EXIT } from '../exit-code.ts';
import type { Io } from '../io.ts';

export function register(program: Command, io: Io): void {
  defineCommand(program, {
    usage: 'verify',
    summary: 'check that nothing on the log was changed or lost',
    description:
      'Reads every event and blob and checks hashes, chains, gaps and the head of the log. Payloads that were erased on purpose still verify. Ends with 3 when something is wrong. Works beside a process that runs sessions.',
    examples: ['verify', 'verify --data ./backup --json', 'verify --accept-head'],
  })
    .option('--accept-head', 'go on from what the database holds, although the end of the log was lost; the loss stays lost')
    .action(({ acceptHead = false }: { acceptHead?: boolean }, command: Command) => verify({ acceptHead, command }, io));
}

async function verify({ acceptHead, command }: { acceptHead: boolean; command: Command }, io: Io): Promise<void> {
  if (acceptHead) {
    // A data directory that is not there is not to be made by looking after it.
    await withData(command, { readOnly: true }, async () => {}).catch((error: unknown) => {
      if ((error as { code?: unknown }).code !== 'store_corrupt') throw error;
    });
    await (await open({ directory: dataDirectory(command), acceptHead })).close();
  }
  await withData(command, { readOnly: true }, async (dreamfold) => {
    const bar = io.progress('verifying');
    const report = await dreamfold.log.verify((done, total) => bar.update(done, total));
    bar.stop();
    const ok = report.problems.length === 0;
    if (!ok) io.exitCode = EXIT.store;
    io.document({ ok, ...report });
    printReport(report, io);
  });
}

function printReport({ events, streams, erased, blobs, problems }: VerifyReport, io: Io): void {
  const counts = `${counted(events, 'event')} in ${counted(streams, 'stream')}, ${counted(blobs, 'blob')}, ${counted(erased, 'erased payload')}`;
  if (problems.length === 0) {
    io.line(`${io.paint('green', 'All is as it was written')}: ${counts}.`);
    return;
  }
  io.line(`${io.paint('red', counted(problems.length, 'problem'))} in ${counts}:`);
  for (const { stream, seq, problem } of problems) io.line(`  ${stream ?? 'log'}${seq === null ? '' : `#${seq}`}: ${problem}`);
  io.line('Restore the data directory from a copy, or import an export into a new one.');
}
