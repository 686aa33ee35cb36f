import { FilePath, functionOf, optionsOf, Text } from '@dreamfold/events';
import { IMPORT_FORMATS, type ImportFormat, type ImportNote } from '@dreamfold/core';
import { z } from 'zod';

export interface ImportRequest {
  file: string;
  format: ImportFormat;
  /** What the recorded agent is called where the recording does not say. */
  agent?: string;
  /** The model that it is said to have run on. */
  model?: string;
  /** `check` counts bytes of the file, `write` sessions (of an export: events). */
  onProgress?: (phase: 'check' | 'write', done: number, total: number) => void;
}

export const ImportRequestShape = optionsOf<ImportRequest>({
  file: FilePath,
  format: z.enum(IMPORT_FORMATS.map(({ name }) => name)),
  agent: Text.optional(),
  model: Text.optional(),
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
}

/** Counts one session in. @param score null when nobody scored it */
export function countOutcome(report: ImportReport, score: number | null): void {
  if (score === null) report.unscored += 1;
  else if (score === 1) report.passed += 1;
  else report.failed += 1;
}
