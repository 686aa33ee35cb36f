import type { Command } from 'commander';
import { DreamfoldError, repair, type RepairReport } from 'dreamfold';
import { dataDirectory, logUrl } from '../data-directory.ts';
import { defineCommand } from '../define-command.ts';
import type { Io } from '../io.ts';
import { counted } from '../render/counted.ts';

export function register(program: Command, io: Io): void {
  defineCommand(program, {
    usage: 'repair',
    summary: 'put a log back on Kafka from a replica',
    description:
      'For a log whose topics were deleted, cut short or restored from an older copy. Fills topics from a replica that is whole: the same log, every event byte for byte at its place, payloads encrypted with new keys. Topics that are not there are created; those that hold the beginning of the log are filled up; any others have to be deleted first. Stop what writes to the log before. Machines with replicas go on with it.',
    examples: ['repair --from-replica ./.dreamfold/kafka/acme/log_5d2c --log kafka://localhost:9092/acme'],
  })
    .requiredOption('--from-replica <dir>', 'the folder of the log, DATA/kafka/PREFIX/LOG, or a replica in it')
    .action(({ fromReplica }: { fromReplica: string }, command: Command) => repairFrom(fromReplica, command, io));
}

async function repairFrom(replica: string, command: Command, io: Io): Promise<void> {
  const log = logUrl(command);
  if (log === null) throw notInDirectory();
  const bar = io.progress('filling');
  const onProgress = (done: number, total: number): void => bar.update(done, total);
  const report: RepairReport = await repair({ log, replica, directory: dataDirectory(command), onProgress }).finally(() => bar.stop());
  io.document(report);
  io.line(
    `${report.logId} is there: ${counted(report.events, 'event')} and ${counted(report.blobs, 'blob')}, of which ${report.added} events were missing.`,
  );
}

function notInDirectory(): DreamfoldError {
  return new DreamfoldError('invalid_argument', 'A log in a data directory has no replicas', {
    path: '--log',
    remedy: 'Name the log on Kafka with --log. A data directory is restored from a copy, or from an export.',
  });
}
