import { existsSync } from 'node:fs';
import { isDreamfoldError } from '@dreamfold/events';
import { erasedBy, type Archive, type Log } from '@dreamfold/log';
import type { PartitionReplica, ReplicaStorage, SideStore } from '@dreamfold/log/backend';
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
 * @param replica.withPayloads compares payloads and blobs too, which are read for it
 * @returns what the log lacks, in words; null when it holds all that the replica does
 */
export async function lackedBy(
  log: Pick<Log, 'archive' | 'blobs'>,
  replica: ClosedReplica & { withPayloads: boolean },
): Promise<string | null> {
  const side = replica.withPayloads ? replica.storage.openSide({ directory: replica.directory, readOnly: true }) : null;
  try {
    for (const held of partitionsOf(replica)) {
      for await (const streams of held.streams()) {
        for (const { stream, head } of streams) {
          if (!(await holds(log.archive, stream, head))) return `event ${head.seq} of ${stream}`;
          const payload = side === null ? null : await payloadLackedBy(log, stream, { held, side });
          if (payload !== null) return payload;
        }
      }
    }
    return null;
  } finally {
    side?.close();
  }
}

/** Payloads and blobs of a stream that the replica can read and the log can't. */
async function payloadLackedBy(
  log: Pick<Log, 'archive' | 'blobs'>,
  stream: string,
  { held, side }: { held: PartitionReplica; side: SideStore },
): Promise<string | null> {
  let erased: ReadonlySet<string> | null = null;
  for await (const events of log.archive.readStored(stream)) {
    const former = held.readStored(stream, events[0]!.seq, events.at(-1)!.seq);
    for (const [i, { id, seq, data }] of events.entries()) {
      const before = former[i]?.data ?? null;
      if (data === null && before !== null) {
        // The replica was away when it was erased.
        erased ??= await erasedIn(log.archive, stream);
        if (erased.has(id)) continue;
        return `the payload of event ${seq} of ${stream}`;
      }
      for (const sha256 of sha256sIn(before)) {
        if (side.getBlob(sha256) !== null && (await log.blobs.get(sha256)) === null) return `a blob of event ${seq} of ${stream}`;
      }
    }
  }
  return null;
}

async function erasedIn(archive: Pick<Archive, 'readStored'>, stream: string): Promise<Set<string>> {
  const ids = new Set<string>();
  for await (const events of archive.readStored(stream)) for (const event of events) for (const id of erasedBy(event)) ids.add(id);
  return ids;
}

/** What a payload calls a sha-256 may be that of a blob: a replica knows. */
export function sha256sIn(data: string | null): string[] {
  return [...(data ?? '').matchAll(/"sha256":"([0-9a-f]{64})"/g)].map(([, sha256]) => sha256!);
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
