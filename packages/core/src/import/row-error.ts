import { DreamfoldError, checkName, isDreamfoldError } from '@dreamfold/events';
import type { z } from 'zod';

/**
 * The error of a row that cannot be imported.
 * @param at the file, the row and a JSON pointer into it: `runs.jsonl:12/messages/3`
 */
export function rowError(at: string, message: string, details: { value?: unknown; remedy: string; cause?: unknown }): DreamfoldError {
  return new DreamfoldError('invalid_import', `${at}: ${message}`, {
    path: at,
    remedy: details.remedy,
    ...(details.value === undefined ? {} : { value: excerpt(details.value) }),
    ...(details.cause === undefined ? {} : { cause: details.cause }),
  });
}

/**
 * The value as the schema gives it back.
 * @param remedy what to do when the value does not fit the schema
 * @throws DreamfoldError invalid_import at the first field that does not fit
 */
export function checkRow<S extends z.ZodType>(schema: S, value: unknown, row: { at: string; remedy: string }): z.infer<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw rowError([row.at, ...issue.path.map(String)].join('/'), issue.message, { value: valueAt(value, issue.path), remedy: row.remedy });
}

/** The door for the names in a row. @throws DreamfoldError invalid_import, suspicious_unicode */
export function checkRowName(name: string, { at, maxChars }: { at: string; maxChars: number }): void {
  try {
    checkName(name, { path: at, maxChars });
  } catch (error) {
    if (!isDreamfoldError(error, 'invalid_argument')) throw error;
    throw rowError(at, error.message.slice(at.length + 1), { value: name, remedy: error.remedy });
  }
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined),
    value,
  );
}

function excerpt(value: unknown): unknown {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 80).toWellFormed()}…` : value;
}
