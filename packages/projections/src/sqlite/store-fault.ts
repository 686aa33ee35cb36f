import { StoreFault } from '../port.ts';

/** Result codes of SQLite (https://sqlite.org/rescode.html) that mean damage: CORRUPT, NOTADB, and IOERR_SHORT_READ. */
const DAMAGE = new Set([11, 26]);
const SHORT_READ = 522;

/** What node:sqlite or the file system threw, as the fault that it is; anything else as it is. */
export function asStoreFault(error: unknown, path: string): unknown {
  if (!(error instanceof Error)) return error;
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  const isSqlite = code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number';
  if (!isSqlite && !('syscall' in error)) return error;
  const isDamage = isSqlite && (errcode === SHORT_READ || DAMAGE.has(errcode & 0xff));
  return new StoreFault(`${path} cannot be used (${error.message})`, { isDamage, cause: error });
}

/** A fault that SQLite itself does not see. */
export function damaged(path: string, what: string): StoreFault {
  return new StoreFault(`${path} ${what}`, { isDamage: true });
}
