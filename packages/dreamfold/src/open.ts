import { randomUUID } from 'node:crypto';
import { acquireProcessorLock, openMemoryLog, type Log } from '@dreamfold/log';
import { openSqliteLog } from '@dreamfold/log/sqlite';
import type { Model } from '@dreamfold/model';
import { MemoryKeeper, SessionHost } from '@dreamfold/runtime';
import { Dreamfold } from './dreamfold.ts';
import { modelsByName } from './models.ts';

export interface OpenOptions {
  /** Where the log is kept. Left out: in memory, gone with the process. */
  directory?: string;
  /** Only look, beside a process that runs sessions. */
  readOnly?: boolean;
  /** `full` survives a power loss as well as a crash, at a disk flush per commit. Default `process`. */
  durability?: 'process' | 'full';
  /** Go on from what the database holds, although the end of it was lost: see `dreamfold verify --accept-head`. */
  acceptHead?: boolean;
  /** Models by the names that agents use for them. */
  models?: Readonly<Record<string, Model>>;
  /** A log that is open already, instead of a directory. */
  log?: Log;
}

/**
 * Opens Dreamfold on a data directory, or in memory. The one place where its parts are put together.
 * Reading and commands need no lock; the first session that runs here takes the directory's processor lock until `close`.
 * @throws DreamfoldError store_corrupt, store_read_only, store_newer_than_code, invalid_path
 */
export async function open(options: OpenOptions = {}): Promise<Dreamfold> {
  const { directory, readOnly = false, durability, acceptHead = false } = options;
  const log =
    options.log ??
    (directory === undefined
      ? openMemoryLog()
      : await openSqliteLog({ directory, readOnly, acceptHead, ...(durability === undefined ? {} : { durability }) }));
  const memory = new MemoryKeeper(log);
  const host = new SessionHost({
    log,
    models: modelsByName(options.models ?? {}),
    pinnedMemory: (pins) => memory.pinned(pins),
    now: Date.now,
    random: Math.random,
    uuid: randomUUID,
  });
  return new Dreamfold({ log, memory, host, lock: directory === undefined ? null : () => acquireProcessorLock(directory) });
}
