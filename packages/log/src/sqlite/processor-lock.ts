import { accessSync, constants, lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DreamfoldError } from '@dreamfold/events';
import type { ProcessorLock, RunningProcessor } from '../processor-lock.ts';
import { asSystemError } from '../system-error.ts';
import { asStoreError, isBusy, isNoDatabase } from './database/sqlite-error.ts';

/** An empty database. Who has it open in an exclusive transaction holds the lock; the system gives it up for a process that dies. */
const LOCK_FILE = 'processor.lock';
/** Says who that is, to people and to those who ask. It locks nothing. */
const HOLDER_FILE = 'processor.pid';

/** Locks that this process holds: a database that nobody refers to any more would be closed, and its lock given up. */
const held = new Set<DatabaseSync>();

/** Who only looks has the database open for a moment; a taker waits that long for it. */
const WAIT_MS = 200;

/**
 * Takes the lock of a data directory. The system has freed that of a process that is gone.
 * @throws DreamfoldError store_locked, which names the pid of the holder; store_read_only, store_full, store_unavailable
 */
export async function acquireProcessorLock(directory: string): Promise<ProcessorLock> {
  const path = join(directory, LOCK_FILE);
  checkPlace(path);
  let db: DatabaseSync;
  try {
    db = lock(path);
  } catch (error) {
    throw refusal(error, path, directory);
  }
  try {
    writeHolder(directory, { pid: process.pid, since: Date.now() });
  } catch (error) {
    db.close();
    throw error;
  }
  held.add(db);
  return {
    pid: process.pid,
    release: () => {
      if (!held.delete(db)) return;
      rmSync(join(directory, HOLDER_FILE), { force: true });
      // The file stays: were it removed, who has opened it and who makes it anew could both hold a lock.
      db.close();
    },
  };
}

/** Who holds the lock of a data directory; null when nobody does. It takes nothing, and is true at the moment that it looks. */
export function findProcessor(directory: string): RunningProcessor | null {
  const path = join(directory, LOCK_FILE);
  try {
    if (!lstatSync(path).isFile()) return null;
    const db = new DatabaseSync(path, { readOnly: true });
    try {
      db.prepare('SELECT 1 FROM sqlite_schema').get();
      return null;
    } catch (error) {
      return isBusy(error) ? readHolder(directory) : null;
    } finally {
      db.close();
    }
  } catch {
    // No lock was ever taken here, or what stands there is none.
    return null;
  }
}

function lock(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: WAIT_MS });
  try {
    db.exec('BEGIN EXCLUSIVE');
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function refusal(error: unknown, path: string, directory: string): unknown {
  if (isNoDatabase(error)) return notALock(path, 'a file of another kind');
  if (!isBusy(error)) {
    try {
      accessSync(directory, constants.W_OK);
    } catch (cause) {
      return asSystemError(cause, { path, what: `${path} cannot be written`, code: 'store_read_only' });
    }
    return asStoreError(error, path);
  }
  const { pid } = readHolder(directory);
  return new DreamfoldError('store_locked', `${pid === null ? 'Another process' : `Process ${pid}`} is processing this data directory`, {
    path,
    value: pid,
    remedy: `Stop ${pid === null ? 'it' : `process ${pid}`}, or use another data directory. Looking at the log needs no lock.`,
  });
}

/** SQLite follows a link anywhere, and begins a database in an empty file of any kind. */
function checkPlace(path: string): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined || stat.isFile()) return;
  throw notALock(path, stat.isDirectory() ? 'a directory' : stat.isSymbolicLink() ? 'a link' : stat.isFIFO() ? 'a pipe' : 'no file');
}

function notALock(path: string, value: string): DreamfoldError {
  return new DreamfoldError('store_locked', `${path} is not a lock that a processor made`, {
    path,
    value,
    remedy: 'Delete it when you are sure that no processor is running on this directory.',
  });
}

/** Whole or not at all: others read it at any time. */
function writeHolder(directory: string, holder: RunningProcessor): void {
  const path = join(directory, HOLDER_FILE);
  try {
    writeFileSync(`${path}.new`, JSON.stringify(holder));
    renameSync(`${path}.new`, path);
  } catch (cause) {
    rmSync(`${path}.new`, { force: true });
    throw asSystemError(cause, { path, what: `${path} cannot be written`, code: 'store_read_only' });
  }
}

/** What stands there from an earlier holder is replaced a moment after the lock is taken. */
function readHolder(directory: string): RunningProcessor {
  try {
    const { pid, since } = JSON.parse(readFileSync(join(directory, HOLDER_FILE), 'utf8')) as RunningProcessor;
    if (Number.isSafeInteger(pid) && Number.isSafeInteger(since)) return { pid, since };
  } catch {
    // It is being written, or somebody has removed it.
  }
  return { pid: null, since: 0 };
}
