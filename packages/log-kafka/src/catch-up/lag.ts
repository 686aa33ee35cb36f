import { availableParallelism } from 'node:os';

/** Fewer records are folded as fast without a second thread, which has to be started and to connect. */
const MIN_RECORDS = 100_000;

/** Of each partition of the log, where the replica stands and where the topic ends: offsets of the next record. */
interface Range {
  begins: readonly number[];
  ends: readonly number[];
}

/** How many records each partition lacks. */
export function lagsOf({ begins, ends }: Range): number[] {
  return ends.map((end, partition) => Math.max(0, end - begins[partition]!));
}

/** Whether so many records are missing that threads are worth it. */
export function isFarBehind(range: Range): boolean {
  const lags = lagsOf(range).filter((lag) => lag > 0);
  return lags.length > 1 && availableParallelism() > 1 && lags.reduce((sum, lag) => sum + lag, 0) >= MIN_RECORDS;
}
