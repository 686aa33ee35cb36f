import { join } from 'node:path';
import type { PartitionReplica, ReplicaStorage } from '@dreamfold/log/backend';
import { partitionOf } from './partition-of.ts';

/** @param options.directory of the node's replica; @param options.partitions of the log */
export function openPartition(
  storage: ReplicaStorage,
  { directory, partition, partitions, readOnly = false }: { directory: string; partition: number; partitions: number; readOnly?: boolean },
): PartitionReplica {
  const inPartition = (stream: string): boolean => partitionOf(stream, partitions) === partition;
  return storage.openPartition({ directory: partitionFolder(directory, partition), partition, inPartition, readOnly });
}

export function partitionFolder(directory: string, partition: number): string {
  return join(directory, `partition-${partition}`);
}
