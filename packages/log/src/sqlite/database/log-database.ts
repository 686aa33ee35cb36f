import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { DreamfoldError } from '@dreamfold/events';
import { checkDirectoryWritable, openDatabaseFile } from './database-file.ts';
import { EventTable } from '../tables/event-table.ts';
import { HeadFile, checkHead } from './head-file.ts';
import { openForReading } from './open-for-reading.ts';
import { LOG_SCHEMA, checkSchema, createSchema } from '../tables/schema.ts';
import { asStoreError, corrupt, wantsRollback } from './sqlite-error.ts';
import { sizeOf } from './write-ahead-log.ts';

/** An open database of events, and the file beside it that says how far it goes. */
export interface LogDatabase {
  db: DatabaseSync;
  /** Path of the database. */
  path: string;
  headFile: HeadFile;
}

/** How a log is read that can't be read as usual. */
export interface LogReadNotice {
  kind: 'read_as_it_is';
  message: string;
}

export interface LogDatabaseOptions {
  directory: string;
  /** Name of the database's file. */
  file: string;
  readOnly?: boolean;
  acceptHead?: boolean;
  /** Every commit reaches the disk. */
  full?: boolean;
  /** Told when a log that is only read is read without a word to writers. */
  onNotice?: ((notice: LogReadNotice) => void) | undefined;
  /** Adds what a new database begins with, in the transaction that makes its tables. */
  begin: (db: DatabaseSync) => void;
}

/**
 * Opens the database of a directory, or makes one there.
 * @param use what to make of it; when that fails, nothing stays open
 * @throws DreamfoldError not_found, invalid_path, store_corrupt, store_newer_than_code, store_read_only, store_locked, store_full, store_unavailable
 */
export function openLogDatabase<T>(options: LogDatabaseOptions, use: (database: LogDatabase) => T): T {
  const { directory, readOnly = false, acceptHead = false, full = false } = options;
  checkDirectory(directory, readOnly);
  const path = join(directory, options.file);
  const headFile = new HeadFile(join(directory, 'head'));
  try {
    const exists = inspect(path, headFile, acceptHead);
    if (!exists && readOnly) {
      throw new DreamfoldError('not_found', `There is no log in ${directory}`, {
        path: directory,
        remedy: `Name a directory that holds a ${options.file}.`,
      });
    }
    if (!exists) headFile.create();
    const { db, isAsItIs } = readOnly ? openForReading(path, headFile) : { db: openDatabaseFile(path, { readOnly }), isAsItIs: false };
    if (isAsItIs) options.onNotice?.(noticeOf(path));
    try {
      if (!readOnly) configure(db, full, path);
      if (!exists) create(db, path, options.begin);
      const opened = use({ db, path, headFile });
      if (!readOnly) headFile.write(new EventTable(db).last(), full);
      return opened;
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    headFile.close();
    throw asStoreError(error, path);
  }
}

/** Makes the directory, when it is to be written and its parent exists. */
export function checkDirectory(directory: string, readOnly: boolean): void {
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

function noticeOf(path: string): LogReadNotice {
  const message = `The disk is full: ${path} is read as it is, and must not be written meanwhile. All that was acknowledged is there.`;
  return { kind: 'read_as_it_is', message };
}

/**
 * Looks at what is there through a read-only connection: closing a writable one would tidy a damaged
 * write-ahead log away, and with it what can still be saved.
 * @returns whether there is a log
 */
function inspect(path: string, headFile: HeadFile, acceptHead: boolean): boolean {
  checkNotEmptied(path);
  let head = acceptHead ? null : headFile.read();
  const size = sizeOf(path);
  if (size !== null) {
    const { db } = openForReading(path, headFile);
    try {
      const exists = checkSchema(db, path, LOG_SCHEMA);
      // The file is made before the database: when it was not there a moment ago, it is now, or it was lost.
      if (!acceptHead && (exists || size > 0)) {
        head ??= headFile.read();
        checkHead(headFile.path, head, exists ? new EventTable(db) : NO_EVENTS);
      }
      if (exists) return true;
    } catch (error) {
      // Whoever was making it was killed. Once it has been made, there is no rollback journal any more.
      if (!wantsRollback(error)) throw error;
    } finally {
      db.close();
    }
  }
  if (head === null || head.position === 0) return false;
  throw corrupt(path, `${headFile.path} says that the log has ${head.position} events, but ${path} holds none`);
}

const NO_EVENTS = { last: () => ({ position: 0, hash: '' }), hashAtPosition: () => null };

/**
 * A database has its first page before it has a write-ahead log. SQLite deletes the write-ahead log of an empty one as soon as it is
 * opened, even to read, and with it what can still be saved.
 */
function checkNotEmptied(path: string): void {
  const beside = ['-wal', '-shm'].map((ending) => `${path}${ending}`).filter((file) => existsSync(file));
  const size = sizeOf(path);
  if (beside.length === 0 || (size !== null && size > 0)) return;
  throw corrupt(path, `${path} is ${size === null ? 'missing' : 'empty'}, but ${beside.join(' and ')} stood beside what it was`, EMPTIED);
}

const EMPTIED =
  'Restore the data directory from a copy; nothing in it was changed. To begin a new log, move the directory away, or name another one.';

/**
 * Sets a database up before anything is read from it or written.
 * @param full whether a commit waits for the disk, and not only for the operating system
 * @param path names it in the error
 * @throws DreamfoldError store_unavailable where the file system has no shared memory, as on a network share
 */
export function configure(db: DatabaseSync, full: boolean, path: string): void {
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

/** Tables and first rows in one transaction; a process that was faster has done it already. */
function create(db: DatabaseSync, path: string, begin: (db: DatabaseSync) => void): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    if (!checkSchema(db, path, LOG_SCHEMA)) {
      createSchema(db, LOG_SCHEMA);
      begin(db);
    }
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}
