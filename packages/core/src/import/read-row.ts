import { isDreamfoldError, type DreamfoldError } from '@dreamfold/events';
import type { ImportedSession } from './imported-session.ts';

/** What came of reading a piece of a file, so that whoever reads the file can go on after a bad one. */
export type Tried<T> = { value: T } | { error: DreamfoldError };

/** A row of a file, from 1: its session, or why it is none. */
export type ReadRow = { row: number } & Tried<ImportedSession>;

/** The value, or the error that input has caused; a fault of this code is thrown on. */
export function tried<T>(read: () => T): Tried<T> {
  try {
    return { value: read() };
  } catch (error) {
    if (!isDreamfoldError(error)) throw error;
    return { error };
  }
}

/** The session of a row. @throws DreamfoldError why it is none */
export function sessionOf(row: ReadRow): ImportedSession {
  if ('error' in row) throw row.error;
  return row.value;
}
