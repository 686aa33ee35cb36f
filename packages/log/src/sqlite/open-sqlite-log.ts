import type { DatabaseSync } from 'node:sqlite';
import { DreamfoldError, RULE, LogGenesis } from '@dreamfold/events';
import { newWriterName, prepareAppend, stampAppend } from '../rule/append.ts';
import { LOG_STREAM, genesisRequest, newLogId } from '../rule/genesis.ts';
import type { Log } from '../port.ts';
import { EMPTY_HEAD } from '../rule/rule.ts';
import { EventTable } from './tables/event-table.ts';
import { openLogDatabase, type LogReadNotice } from './database/log-database.ts';
import { corrupt } from './database/sqlite-error.ts';
import { SqliteLog } from './sqlite-log.ts';

export interface SqliteLogOptions {
  /** Holds `log.db` and `head`. It is made when its parent exists. */
  directory: string;
  /** Only look: beside a process that writes, or at a copy. */
  readOnly?: boolean;
  /**
   * `process` (default): what was acknowledged survives the end of the process; the last moments before a power loss
   * may be lost, in whole appends. `full`: it survives a power loss too, at the price of a disk flush per group of appends.
   */
  durability?: 'process' | 'full';
  clock?: () => number;
  /** Go on from what the database holds, although the head file says otherwise or is gone. */
  acceptHead?: boolean;
  /** Told how a log is read that can't be read as usual. */
  onNotice?: (notice: LogReadNotice) => void;
}

/**
 * Opens the log of a data directory, or begins one there.
 * @throws DreamfoldError not_found, invalid_path, store_corrupt, store_newer_than_code, store_read_only, store_locked, store_full, store_unavailable
 */
export async function openSqliteLog(options: SqliteLogOptions): Promise<Log> {
  const { directory, readOnly = false, acceptHead = false } = options;
  const clock = options.clock ?? Date.now;
  const full = options.durability === 'full';
  const begin = (db: DatabaseSync): void => addGenesis(new EventTable(db), clock);
  return openLogDatabase({ directory, file: 'log.db', readOnly, acceptHead, full, begin, onNotice: options.onNotice }, (database) => {
    const logId = readGenesis(new EventTable(database.db), database.path);
    return new SqliteLog({ ...database, logId, clock, readOnly, full });
  });
}

function addGenesis(table: EventTable, clock: () => number): void {
  const [genesis] = stampAppend(
    prepareAppend(genesisRequest(newLogId(), { partitions: 1, erasure: true }), clock()),
    EMPTY_HEAD,
    newWriterName(),
  );
  table.insert(1, table.streams.intern(LOG_STREAM), genesis!);
}

/** @returns the log's id */
function readGenesis(table: EventTable, path: string): string {
  const streamId = table.streams.find(LOG_STREAM);
  const [event] = streamId === null ? [] : table.readStream(streamId, 1, 1);
  const genesis = LogGenesis.safeParse(event?.data);
  if (event?.type !== 'log.genesis' || event.position !== 1 || !genesis.success) throw corrupt(path, `The log in ${path} has no beginning`);
  const { rule, log_id: logId } = genesis.data;
  if (rule <= RULE) return logId;
  throw new DreamfoldError('store_newer_than_code', `${path} is kept by rule ${rule}; this Dreamfold knows rule ${RULE}`, {
    path,
    value: rule,
    remedy: 'Use the Dreamfold that wrote it, or a newer one.',
  });
}
