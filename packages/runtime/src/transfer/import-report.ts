import { FilePath, functionOf, optionsOf, Text, type ErrorCode } from '@dreamfold/events';
import { IMPORT_FORMATS, type ImportFormat, type ImportNote } from '@dreamfold/core';
import { z } from 'zod';
import type { ExportDamage } from './export-skips.ts';

export interface ImportRequest {
  file: string;
  format: ImportFormat;
  /** What the recorded agent is called where the recording does not say. */
  agent?: string;
  /** The model that it is said to have run on. */
  model?: string;
  /** Whoever recorded the runs had checked that their principals are who they say. */
  trustPrincipals?: boolean;
  /** A file of tools: the schemas of those that rows call without one. */
  tools?: string;
  /** Leaves out what is bad, and lists it; without it one bad row refuses the whole file. */
  skipBad?: boolean;
  /** `check` counts bytes of the file, `write` sessions (of an export: events). */
  onProgress?: (phase: 'check' | 'write', done: number, total: number) => void;
}

export const ImportRequestShape = optionsOf<ImportRequest>({
  file: FilePath,
  format: z.enum(IMPORT_FORMATS.map(({ name }) => name)),
  agent: Text.optional(),
  model: Text.optional(),
  trustPrincipals: z.boolean().optional(),
  tools: FilePath.optional(),
  skipBad: z.boolean().optional(),
  onProgress: functionOf<NonNullable<ImportRequest['onProgress']>>().optional(),
});

export interface ImportReport {
  format: ImportFormat;
  file: string;
  /** Sessions in the file. */
  sessions: number;
  /** Of them, those that were not on the log. */
  added: number;
  /** Events that were added to the log. */
  events: number;
  /** Tool calls in the file. */
  toolCalls: number;
  /** Sessions whose recorded outcome is a full score, a lesser one, or none. */
  passed: number;
  failed: number;
  unscored: number;
  /** What was cut, left out or filled in: the first thousand remarks. */
  notes: ImportNote[];
  /** Rows that were left out because they are bad. */
  skipped: number;
  /** Why: of the first thousand of them. */
  bad: BadRow[];
  /** What to do for a dream to learn more from these sessions. */
  hints: string[];
  /** With `skipBad`, of an export: what could not be restored. */
  damage?: ExportDamage;
}

export interface BadRow {
  /** From 1: the line, or the place in the array. */
  row: number;
  /** The row and the place in it: `runs.jsonl:12/messages/3`. */
  path: string;
  code: ErrorCode;
  reason: string;
}

/** A report of an import that has read nothing yet. */
export function newReport({ format, file }: ImportRequest): ImportReport {
  const counts = { sessions: 0, added: 0, events: 0, toolCalls: 0, passed: 0, failed: 0, unscored: 0, skipped: 0 };
  return { format, file, ...counts, notes: [], bad: [], hints: [] };
}

/** Counts one session in. @param score null when nobody scored it */
export function countOutcome(report: ImportReport, score: number | null): void {
  if (score === null) report.unscored += 1;
  else if (score === 1) report.passed += 1;
  else report.failed += 1;
}
