import { join } from 'node:path';
import { checked, FilePath, functionOf, optionsOf } from '@dreamfold/events';
import type { RepairReport } from '@dreamfold/log-kafka';
import { z } from 'zod';
import { REPLICA_DIRECTORY, type OpenOptions } from './open.ts';

export interface RepairLogOptions extends Pick<OpenOptions, 'directory' | 'onProgress'> {
  /** `kafka://host:port[,host:port]/prefix`: where the log is to be again. */
  log: string;
  /** The replica that has it: the folder of the log, `DIRECTORY/kafka/PREFIX/LOG`, or a replica in it. */
  replica: string;
}

const Options = optionsOf<RepairLogOptions>({
  log: z.string(),
  replica: FilePath,
  directory: FilePath.optional(),
  onProgress: functionOf<NonNullable<OpenOptions['onProgress']>>().optional(),
});

/**
 * Puts a log back on Kafka from the replica of a machine: the same log, every event byte for byte at its place. Topics that are not there
 * are created; those that hold the beginning of it are filled up. Nobody may write to the log meanwhile.
 * @returns what the replica holds, and how much of it was missing on the brokers
 * @throws DreamfoldError not_found, store_corrupt (the replica is not whole), log_diverged (the topics hold something else), config_invalid,
 * store_unavailable, permission_denied, invalid_argument
 */
export async function repair(given: RepairLogOptions): Promise<RepairReport> {
  const {
    log: url,
    directory = REPLICA_DIRECTORY,
    ...options
  } = checked(Options, given, {
    what: 'repair()',
    remedy: 'Give the address of the log in `log`, and the folder of its replica in `replica`.',
  });
  const [{ repairKafkaLog }, { sqliteReplicas }] = await Promise.all([import('@dreamfold/log-kafka'), import('@dreamfold/log/sqlite')]);
  return repairKafkaLog({ url, directory: join(directory, 'kafka'), storage: sqliteReplicas, env: process.env, ...options });
}
