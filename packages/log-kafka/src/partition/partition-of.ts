import { hash } from 'node:crypto';

const GENESIS_STREAM = /^log\/partition-([1-9]\d{0,5})$/;

/**
 * The partition of a stream's records: that of `log/main` is 0, that of `log/partition-<k>` is k, so that each partition can begin
 * with its genesis; any other follows from the sha-256 of its name. Chosen here and not by a driver: two drivers
 * hash the same key differently, and the rule needs one answer for all time.
 * @param partitions how many the log has
 */
export function partitionOf(stream: string, partitions: number): number {
  if (stream === 'log/main') return 0;
  const own = Number(GENESIS_STREAM.exec(stream)?.[1] ?? partitions);
  return own < partitions ? own : hash('sha256', stream, 'buffer').readUInt32BE() % partitions;
}
