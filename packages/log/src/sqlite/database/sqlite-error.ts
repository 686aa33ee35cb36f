import { DreamfoldError, type ErrorCode } from '@dreamfold/events';
import { STORE_REMEDY, systemErrorCode } from '../../system-error.ts';

/** Primary result codes of SQLite (https://sqlite.org/rescode.html) that have a name of ours. */
const CODE_OF: Readonly<Record<number, ErrorCode>> = {
  5: 'store_locked', // SQLITE_BUSY
  6: 'store_locked', // SQLITE_LOCKED
  7: 'store_unavailable', // SQLITE_NOMEM
  8: 'store_read_only', // SQLITE_READONLY
  10: 'store_unavailable', // SQLITE_IOERR
  13: 'store_full', // SQLITE_FULL
  14: 'store_unavailable', // SQLITE_CANTOPEN
};

/** Extended codes that say more than their primary code. */
const EXTENDED_CODE_OF: Readonly<Record<number, ErrorCode>> = {
  522: 'store_corrupt', // SQLITE_IOERR_SHORT_READ: the file ends too early
  4874: 'store_full', // SQLITE_IOERR_SHMSIZE: no room for the shared-memory file
};

const SQLITE_READONLY_ROLLBACK = 776;

interface SqliteError extends Error {
  errcode: number;
  errstr: string;
}

function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Error && (error as { code?: unknown }).code === 'ERR_SQLITE_ERROR' && 'errcode' in error;
}

/** True when somebody else holds the database. */
export function isBusy(error: unknown): boolean {
  return isSqliteError(error) && (error.errcode & 0xff) === 5;
}

/** True for a file that is no SQLite database. */
export function isNoDatabase(error: unknown): boolean {
  return isSqliteError(error) && error.errcode === 26;
}

/** True for what a read-only connection meets where a transaction was cut off that a writable one would undo. */
export function wantsRollback(error: unknown): boolean {
  return isSqliteError(error) && error.errcode === SQLITE_READONLY_ROLLBACK;
}

class OutOfOrder extends Error {
  override readonly name = 'OutOfOrder';
}

/**
 * Checks that a walk over a table goes on: a damaged one can answer with a smaller key than was asked for, and the walk would never end.
 * @param key of the row that came after `after`
 */
export function checkRises(key: unknown, after: number): void {
  if (typeof key !== 'number' || key <= after) throw new OutOfOrder();
}

/** The named error for what node:sqlite or the file system threw. What SQLite has no better word for means damage. */
export function asStoreError(error: unknown, path: string): unknown {
  const system = (error as { code?: unknown }).code;
  if (system === 'ERR_OUT_OF_RANGE') return corrupt(path, `${path} holds a number that was never written`);
  if (error instanceof OutOfOrder) return corrupt(path, `${path} gives its rows in another order than they were written in`);
  const code = isSqliteError(error)
    ? (EXTENDED_CODE_OF[error.errcode] ?? CODE_OF[error.errcode & 0xff] ?? 'store_corrupt')
    : systemErrorCode(error);
  if (code === undefined) return error;
  const { message } = error as Error;
  return new DreamfoldError(code, `${path} cannot be used: ${message}`, {
    path,
    value: isSqliteError(error) ? error.errcode : system,
    remedy: STORE_REMEDY[code] ?? 'See the message.',
    cause: error,
  });
}

/** An error about damage that SQLite itself does not see. */
export function corrupt(path: string, message: string, remedy: string = STORE_REMEDY.store_corrupt!): DreamfoldError {
  return new DreamfoldError('store_corrupt', message, { path, remedy });
}
