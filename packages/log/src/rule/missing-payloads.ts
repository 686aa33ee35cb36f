import { knownEvent } from '@dreamfold/events';
import { LOG_STREAM } from './genesis.ts';
import type { Log, VerifyReport } from '../port.ts';

/** Adds to a report which payloads are missing since an import with --skip-bad, and why: the log's own stream says so. */
export async function withMissing(report: VerifyReport, log: Pick<Log, 'read'>): Promise<VerifyReport> {
  const missing: { stream: string; seq: number; reason: string }[] = [];
  try {
    for await (const batch of log.read(LOG_STREAM)) {
      for (const event of batch) {
        const known = knownEvent(event);
        if (known?.type === 'log.import_skipped') missing.push(...known.data.missing);
      }
    }
  } catch (error) {
    // What can't be read is among the problems already.
    if (report.problems.length === 0) throw error;
  }
  return missing.length === 0 ? report : { ...report, missing };
}
