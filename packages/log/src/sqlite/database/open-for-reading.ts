import { basename, dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { DreamfoldError, isDreamfoldError, type ErrorCode } from '@dreamfold/events';
import { isWritable, openDatabaseAsItIs, openDatabaseFile } from './database-file.ts';
import { EventTable } from '../tables/event-table.ts';
import type { HeadFile } from './head-file.ts';
import { asStoreError, wantsRollback } from './sqlite-error.ts';
import { hasWriteAheadLog, isApplied, sizeOf } from './write-ahead-log.ts';

/** What a reader meets where the memory that it shares with writers, a file of 32 KiB, can't be made. */
const NO_SHARED_MEMORY: readonly ErrorCode[] = ['store_full', 'store_read_only', 'store_unavailable'];

/** A connection that only reads. */
export interface Reader {
  db: DatabaseSync;
  /** The file is read as it is, because the disk has no room for the memory that is shared with writers. */
  isAsItIs: boolean;
}

/**
 * Opens the database to read it, beside a process that writes. Where the memory that both share can't be made nobody writes, and the file
 * is read as it is, unless its write-ahead log holds something that the file does not.
 * @throws DreamfoldError store_full and the like: what cannot be read; what it meets otherwise is for the first query
 */
export function openForReading(path: string, headFile: HeadFile): Reader {
  if (!isWritable(dirname(path)) && !hasWriteAheadLog(path)) return { db: openDatabaseAsItIs(path), isAsItIs: false };
  const db = openDatabaseFile(path, { readOnly: true });
  try {
    db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get();
    return { db, isAsItIs: false };
  } catch (error) {
    const named = asStoreError(error, path);
    if (wantsRollback(error) || !isDreamfoldError(named) || !NO_SHARED_MEMORY.includes(named.code)) return { db, isAsItIs: false };
    db.close();
    if (hasWriteAheadLog(path) && !isApplied(path)) throw unreadable(path, headFile, named);
    return { db: openDatabaseAsItIs(path), isAsItIs: named.code === 'store_full' };
  }
}

function unreadable(path: string, headFile: HeadFile, { code, message }: DreamfoldError): DreamfoldError {
  const log = `${basename(path)}-wal`;
  const size = sizeOf(`${path}-wal`);
  return new DreamfoldError(code, `${whatIsIn(path, headFile)} in ${log} (${size} bytes), which takes 32 KiB more to read: ${message}`, {
    path: `${path}-wal`,
    value: size,
    remedy:
      code === 'store_full'
        ? 'Free 64 KiB on the disk and try again, or copy the whole directory to another disk; nothing that was acknowledged is lost.'
        : 'Copy the whole directory to where it can be written, and read it there; nothing that was acknowledged is lost.',
  });
}

/** Which events only the write-ahead log holds. */
function whatIsIn(path: string, headFile: HeadFile): string {
  const head = headFile.read()?.position ?? 0;
  const last = lastInFile(path);
  if (last === 0) return `All ${head} events of the log stand`;
  return head > last ? `Events ${last + 1} to ${head} of the log stand` : 'What was changed last stands';
}

function lastInFile(path: string): number {
  const db = openDatabaseAsItIs(path);
  try {
    return new EventTable(db).last().position;
  } catch {
    // Not even its tables are there yet.
    return 0;
  } finally {
    db.close();
  }
}
