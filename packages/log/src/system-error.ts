import { DreamfoldError, type ErrorCode } from '@dreamfold/events';

/** What to do about an error of the store. */
export const STORE_REMEDY: Partial<Record<ErrorCode, string>> = {
  store_locked: 'Another process holds the database; try again, and look for one that hangs.',
  store_unavailable: 'Check that the disk works and that the directory can be reached, then try again.',
  store_read_only: 'Make the data directory writable, or open the log read-only.',
  store_full: 'Free some disk space and try again; what was acknowledged is safe.',
  store_corrupt: 'Run `dreamfold verify` to see what is damaged, and restore the data directory from a copy.',
  invalid_path: 'Name another path.',
};

const CODE_OF_SYSTEM_ERROR: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'store_full',
  EDQUOT: 'store_full',
  EROFS: 'store_read_only',
  EACCES: 'store_read_only',
  EPERM: 'store_read_only',
  EIO: 'store_unavailable',
  EMFILE: 'store_unavailable',
  ENFILE: 'store_unavailable',
  EISDIR: 'invalid_path',
  ENAMETOOLONG: 'invalid_path',
  ELOOP: 'invalid_path',
};

/** The named error for what the file system threw, undefined for what has no name of ours. */
export function systemErrorCode(error: unknown): ErrorCode | undefined {
  return CODE_OF_SYSTEM_ERROR[String((error as { code?: unknown }).code)];
}

/**
 * The named error for what the file system threw; anything else as it is.
 * @param code for what has no name of ours
 */
export function asSystemError(cause: unknown, { path, what = `${path} cannot be used`, code }: SystemErrorWords): unknown {
  const named = systemErrorCode(cause) ?? code;
  if (named === undefined) return cause;
  return new DreamfoldError(named, `${what}: ${(cause as Error).message}`, {
    path,
    remedy: STORE_REMEDY[named] ?? 'See the message.',
    cause,
  });
}

interface SystemErrorWords {
  path: string;
  /** What is wrong, before the words of the file system. */
  what?: string;
  code?: ErrorCode;
}
