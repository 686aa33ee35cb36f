import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { DreamfoldError, RULE, LogGenesis } from '@dreamfold/events';
import { newWriterName, prepareAppend, stampAppend } from '../append.ts';
import { LOG_STREAM, genesisRequest, newLogId } from '../genesis.ts';
import type { Log } from '../port.ts';
import { EMPTY_HEAD } from '../rule.ts';
import { checkDirectoryWritable, openDatabaseFile } from './database-file.ts';
import { EventTable } from './event-table.ts';
import { HeadFile, checkHead } from './head-file.ts';
import { checkSchema, createSchema } from './schema.ts';
import { asStoreError, corrupt } from './sqlite-error.ts';
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
}

/**
 * Opens the log of a data directory, or begins one there.
 * @throws DreamfoldError not_found, invalid_path, store_corrupt, store_newer_than_code, store_read_only, store_locked, store_full, store_unavailable
 */
export async function openSqliteLog(options: SqliteLogOptions): Promise<Log> {
  const { directory, readOnly = false, acceptHead = false } = options;
  checkDirectory(directory, readOnly);
  const path = join(directory, 'log.db');
  const headFile = new HeadFile(join(directory, 'head'));
  try {
    const exists = inspect(path, headFile, acceptHead);
    if (!exists && readOnly) {
      throw new DreamfoldError('not_found', `There is no log in ${directory}`, {
        path: directory,
        remedy: 'Name a directory that holds a log.db.',
      });
    }
    if (!exists) headFile.create();
    const db = openDatabaseFile(path, { readOnly });
    try {
      const full = options.durability === 'full';
      if (!readOnly) configure(db, full, path);
      if (!exists) create(db, path, options.clock ?? Date.now);
      const table = new EventTable(db);
      const logId = readGenesis(table, path);
      if (!readOnly) headFile.write(table.last(), full);
      return new SqliteLog({ db, path, headFile, logId, clock: options.clock ?? Date.now, readOnly, full });
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    headFile.close();
    throw asStoreError(error, path);
  }
}

function checkDirectory(directory: string, readOnly: boolean): void {
  try {
    if (!readOnly && !existsSync(directory)) mkdirSync(directory);
    if (statSync(directory).isDirectory()) {
      if (!readOnly) checkDirectoryWritable(directory);
      return;
    }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') {
      throw new DreamfoldError('not_found', `${directory} does not exist`, {
        path: directory,
        remedy: 'Create it, or correct the path.',
        cause,
      });
    }
    if (code !== 'ENOTDIR') throw asStoreError(cause, directory);
  }
  throw new DreamfoldError('invalid_path', `${directory} is not a directory`, {
    path: directory,
    remedy: 'Name a directory for the data.',
  });
}

/**
 * Looks at what is there through a read-only connection: closing a writable one would tidy a damaged
 * write-ahead log away, and with it what can still be saved.
 * @returns whether there is a log
 */
function inspect(path: string, headFile: HeadFile, acceptHead: boolean): boolean {
  let head = acceptHead ? null : headFile.read();
  if (existsSync(path)) {
    const db = openDatabaseFile(path, { readOnly: true });
    try {
      if (checkSchema(db, path)) {
        // The file is made before the database: when it was not there a moment ago, it is now, or it was lost.
        if (!acceptHead) head ??= headFile.read();
        if (!acceptHead) checkHead(headFile.path, head, new EventTable(db));
        return true;
      }
    } finally {
      db.close();
    }
  }
  if (head === null || head.position === 0) return false;
  throw corrupt(path, `${headFile.path} says that the log has ${head.position} events, but ${path} holds none`);
}

function configure(db: DatabaseSync, full: boolean, path: string): void {
  // Before the first table: a commit writes whole pages, and an append touches three or four of them.
  db.exec('PRAGMA page_size = 1024');
  const mode = db.prepare('PRAGMA journal_mode = WAL').get()!['journal_mode'];
  if (mode !== 'wal') {
    throw new DreamfoldError('store_unavailable', `The file system of ${path} cannot hold a write-ahead log`, {
      path,
      value: mode,
      remedy: 'Keep the data directory on a local disk.',
    });
  }
  db.exec(`PRAGMA synchronous = ${full ? 'FULL' : 'NORMAL'}`);
  // What is erased is overwritten, not only forgotten.
  db.exec('PRAGMA secure_delete = ON');
  db.exec('PRAGMA wal_autocheckpoint = 16000');
}

/** Tables and first event in one transaction; a process that was faster has done it already. */
function create(db: DatabaseSync, path: string, clock: () => number): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    if (!checkSchema(db, path)) {
      createSchema(db);
      const table = new EventTable(db);
      const [genesis] = stampAppend(prepareAppend(genesisRequest(newLogId()), clock()), EMPTY_HEAD, newWriterName());
      table.insert(1, table.streams.intern(LOG_STREAM), genesis!);
    }
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
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
