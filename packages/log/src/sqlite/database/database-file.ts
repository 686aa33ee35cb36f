import { accessSync, constants } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';

/** How long a statement waits for another process's transaction. */
const BUSY_TIMEOUT_MS = 5000;

/** @throws the file system's error */
export function checkDirectoryWritable(directory: string): void {
  accessSync(directory, constants.W_OK);
}

/** Opens a database file, which may be another process's as well. @throws the error of SQLite, which `asStoreError` names */
export function openDatabaseFile(path: string, { readOnly }: { readOnly: boolean }): DatabaseSync {
  // The hash of every event covers what it refers to; checking that again at each insert would only take time.
  return new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, readOnly, enableForeignKeyConstraints: false });
}

/** Reads the file as it is, without its write-ahead log and without a word to others, who must not write meanwhile. */
export function openDatabaseAsItIs(path: string): DatabaseSync {
  const url = pathToFileURL(path);
  url.searchParams.set('immutable', '1');
  return new DatabaseSync(url, { readOnly: true, enableForeignKeyConstraints: false });
}

/** Whether files can be made in a directory: rights alone do not tell, a disk may be mounted read-only. */
export function isWritable(directory: string): boolean {
  try {
    checkDirectoryWritable(directory);
    return true;
  } catch {
    return false;
  }
}
