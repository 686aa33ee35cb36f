import { knownEvent } from '@dreamfold/events';
import { LOG_STREAM } from './genesis.ts';
import type { Log, VerifyReport } from '../port.ts';

/** A payload that was bad in a file that was imported with --skip-bad: the log's own stream says so. */
export type MissingPayload = NonNullable<VerifyReport['missing']>[number];

/** Which payloads are missing since an import, and why. @throws DreamfoldError store_corrupt when the log's own stream can't be read */
export async function missingPayloads(log: Pick<Log, 'read'>): Promise<MissingPayload[]> {
  const missing: MissingPayload[] = [];
  for await (const batch of log.read(LOG_STREAM)) {
    for (const event of batch) {
      const known = knownEvent(event);
      if (known?.type === 'log.import_skipped' && known.data !== null) missing.push(...known.data.missing);
    }
  }
  return missing;
}

/**
 * Checks a log, knowing which payloads it was never given.
 * @param verify the check itself, given `stream#seq` of these
 */
export async function verifyWithMissing(
  log: Pick<Log, 'read'>,
  verify: (skipped: ReadonlySet<string>) => Promise<VerifyReport>,
): Promise<VerifyReport> {
  let missing: readonly MissingPayload[] = [];
  let fault: unknown = null;
  try {
    missing = await missingPayloads(log);
  } catch (error) {
    fault = error;
  }
  const report = await verify(new Set(missing.map(({ stream, seq }) => `${stream}#${seq}`)));
  // What can't be read is among the problems already.
  if (fault !== null && report.problems.length === 0) throw fault;
  return missing.length === 0 ? report : { ...report, missing };
}
