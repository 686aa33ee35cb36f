import { existsSync } from 'node:fs';
import { isDreamfoldError } from '@dreamfold/events';
import type { Archive } from '@dreamfold/log';
import type { PartitionReplica, ReplicaStorage } from '@dreamfold/log/backend';
import type { OffsetRange } from '../driver/driver.ts';
import { openPartition, partitionFolder } from '../partition/open-partition.ts';

/** A replica that nobody has open. */
export interface ClosedReplica {
  directory: string;
  storage: ReplicaStorage;
  /** Of the log. */
  partitions: number;
}

/**
 * Sees without reading the topic that it must lack what a replica holds: each event is a record.
 * @param ranges of the topic's partitions
 * @returns what the topic lacks, in words; null when that can't be told yet
 */
export function surelyLackedBy(ranges: readonly OffsetRange[], replica: ClosedReplica): string | null {
  for (const held of partitionsOf(replica)) {
    const [count, high] = [held.count(), ranges[held.partition]!.high];
    if (high < count) return `partition ${held.partition} ends at offset ${high}, and ${count} events of it were read`;
  }
  return null;
}

/**
 * Compares a log with a replica of it that was made before: all events of a stream are there when its head is.
 * @returns what the log lacks, in words; null when it holds all that the replica does
 */
export async function lackedBy(archive: Pick<Archive, 'readStored'>, replica: ClosedReplica): Promise<string | null> {
  for (const held of partitionsOf(replica)) {
    for await (const streams of held.streams()) {
      for (const { stream, head } of streams) {
        if (!(await holds(archive, stream, head))) return `event ${head.seq} of ${stream}`;
      }
    }
  }
  return null;
}

async function holds(archive: Pick<Archive, 'readStored'>, stream: string, { seq, hash }: { seq: number; hash: string }): Promise<boolean> {
  for await (const [event] of archive.readStored(stream, { from: seq, to: seq })) return event?.hash === hash;
  return false;
}

/** Opened one by one. What is damaged holds nothing that could be compared. */
function* partitionsOf({ directory, storage, partitions }: ClosedReplica): Generator<PartitionReplica, void, undefined> {
  for (let partition = 0; partition < partitions; partition += 1) {
    if (!existsSync(partitionFolder(directory, partition))) continue;
    let replica: PartitionReplica;
    try {
      replica = openPartition(storage, { directory, partition, partitions });
    } catch (error) {
      if (isDreamfoldError(error, 'store_corrupt')) continue;
      throw error;
    }
    try {
      yield replica;
    } finally {
      replica.close();
    }
  }
}
