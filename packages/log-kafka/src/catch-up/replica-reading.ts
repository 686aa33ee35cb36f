import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DreamfoldError, STORED_EVENT_VERSION } from '@dreamfold/events';
import { asSystemError, type PartitionReplica } from '@dreamfold/log/backend';

/** Says by which version of what an event is a replica was folded. There was none before version 2. */
const FILE = 'reading';

/**
 * Makes sure that a replica was folded by what this code takes for an event. One that was folded by an older reading, and has set
 * records aside as none, may lack events that count for everybody else.
 * @param directory holds the replicas of all partitions
 * @throws DreamfoldError log_diverged: it has to be built again
 */
export function checkReading(directory: string, replicas: readonly PartitionReplica[]): void {
  const file = join(directory, FILE);
  try {
    if (existsSync(file) && Number(readFileSync(file, 'utf8')) >= STORED_EVENT_VERSION) return;
    if (replicas.some(hasBroken)) throw olderReading(directory);
    writeFileSync(`${file}.new`, `${STORED_EVENT_VERSION}\n`);
    renameSync(`${file}.new`, file);
  } catch (cause) {
    throw asSystemError(cause, { path: file });
  }
}

function hasBroken(replica: PartitionReplica): boolean {
  for (const { reason } of replica.setAside()) if (reason === 'broken') return true;
  return false;
}

function olderReading(directory: string): DreamfoldError {
  return new DreamfoldError(
    'log_diverged',
    'The local replica was folded by an older Dreamfold, which has set records aside that may be events',
    { path: directory, remedy: 'It is built again when the log is opened.' },
  );
}
