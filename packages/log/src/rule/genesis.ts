import { randomBytes } from 'node:crypto';
import { RULE, newEvent, type LogGenesis } from '@dreamfold/events';
import type { AppendRequest } from '../port.ts';

/** The stream that describes the log itself. Its first event is the first of the log. */
export const LOG_STREAM = 'log/main';

/** The id of a new log: at random, so that no two have the same. */
export function newLogId(): string {
  return `log_${randomBytes(12).toString('hex')}`;
}

/** The stream that a partition begins with. */
export function genesisStream(partition: number): string {
  return partition === 0 ? LOG_STREAM : `log/partition-${partition}`;
}

/** The append that every log begins with, each of its partitions with its own. */
export function genesisRequest(
  logId: string,
  { partition = 0, partitions, erasure }: { partition?: number; partitions: number; erasure: boolean },
): AppendRequest {
  const data: LogGenesis = { log_id: logId, rule: RULE, partitions, erasure };
  return { stream: genesisStream(partition), id: logId, expected: 0, events: [newEvent('log.genesis', 'system', data)] };
}
