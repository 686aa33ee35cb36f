import { InvalidArgumentError } from 'commander';
import type { MemoryPoint } from '@dreamfold/core';
import { dateGiven } from './time-given.ts';

/** An option's value that is a version, or a date and time. Without a zone the time is UTC, as history shows it. */
export function memoryPoint(text: string): MemoryPoint {
  if (/^\d{1,9}$/.test(text)) return { version: Number(text) };
  const timeMs = dateGiven(text);
  if (!Number.isNaN(timeMs)) return { timeMs };
  throw new InvalidArgumentError('Give a version as a whole number, or a time such as 2026-11-21T10:30.');
}
