import type { ExportDamage } from './export-skips.ts';
import type { ImportFormat, ImportNote } from '@dreamfold/core';

export interface ImportRequest {
  file: string;
  format: ImportFormat;
  /** What the recorded agent is called where the recording does not say. */
  agent?: string;
  /** The model that it is said to have run on. */
  model?: string;
  /** Leaves out what is bad, and reports it, instead of writing nothing. */
  skipBad?: boolean;
  /** `check` counts bytes of the file, `write` sessions (of an export: events). */
  onProgress?: (phase: 'check' | 'write', done: number, total: number) => void;
}

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
  /** With `skipBad`, of an export: what could not be restored. */
  damage?: ExportDamage;
}

/** Counts one session in. @param score null when nobody scored it */
export function countOutcome(report: ImportReport, score: number | null): void {
  if (score === null) report.unscored += 1;
  else if (score === 1) report.passed += 1;
  else report.failed += 1;
}
