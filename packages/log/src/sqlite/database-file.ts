import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { dirname } from 'node:path';

/** How long a statement waits for another process's transaction. */
const BUSY_TIMEOUT_MS = 5000;

/** @throws the file system's error */
export function checkDirectoryWritable(directory: string): void {
  accessSync(directory, constants.W_OK);
}

/**
 * Opens the database file. A read-only connection needs a directory that can be written, for the memory that it
 * shares with writers; where it cannot be, nobody writes, and the file is read as it is.
 */
export function openDatabaseFile(path: string, { readOnly }: { readOnly: boolean }): DatabaseSync {
  // The hash of every event covers what it refers to; checking that again at each insert would only take time.
  const options = { timeout: BUSY_TIMEOUT_MS, readOnly, enableForeignKeyConstraints: false };
  if (!readOnly || isWritable(dirname(path)) || hasWriteAheadLog(path)) return new DatabaseSync(path, options);
  const url = pathToFileURL(path);
  url.searchParams.set('immutable', '1');
  return new DatabaseSync(url, options);
}

function isWritable(directory: string): boolean {
  try {
    checkDirectoryWritable(directory);
    return true;
  } catch {
    return false;
  }
}

/** What stands in a write-ahead log is not in the file yet. */
function hasWriteAheadLog(path: string): boolean {
  return existsSync(`${path}-wal`) && statSync(`${path}-wal`).size > 0;
}
