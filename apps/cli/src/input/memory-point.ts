import { InvalidArgumentError } from 'commander';
import type { MemoryPoint } from '@dreamfold/core';

const DATE = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?$/;

/** An option's value that is a version, or a date and time. Without a zone the time is UTC, as history shows it. */
export function memoryPoint(text: string): MemoryPoint {
  if (/^\d{1,9}$/.test(text)) return { version: Number(text) };
  const iso = text.replace(' ', 'T');
  const timeMs = DATE.test(text) ? Date.parse(!iso.includes('T') || /(?:Z|[+-]\d\d:\d\d)$/.test(iso) ? iso : `${iso}Z`) : Number.NaN;
  if (!Number.isNaN(timeMs)) return { timeMs };
  throw new InvalidArgumentError('Give a version as a whole number, or a time such as 2026-11-21T10:30.');
}
