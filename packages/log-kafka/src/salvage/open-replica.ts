import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DreamfoldError, type LogGenesis } from '@dreamfold/events';
import { ChangeSignal, type PartitionReplica, type ReplicaStorage, type SideStore } from '@dreamfold/log/backend';
import { replicaOf } from '../identity/replica-slot.ts';
import { KafkaLog, type NodePartition } from '../kafka-log.ts';
import { openPartition, partitionFolder } from '../partition/open-partition.ts';
import { genesisIn } from '../topics/genesis.ts';

/** How often a reader looks for what a process has added to the replica meanwhile. */
const LOOK_MS = 500;

export interface ReplicaLogOptions {
  /** A replica, a place that holds one, or the folder of a log, of whose replicas the longest is taken. */
  directory: string;
  /** How the replica is kept: `sqliteReplicas` of @dreamfold/log/sqlite. */
  storage: ReplicaStorage;
}

/** A replica that is only read. */
export interface OpenReplica {
  directory: string;
  genesis: LogGenesis;
  partitions: readonly PartitionReplica[];
  side: SideStore;
  close: () => void;
}

/**
 * Opens the replica of a log on Kafka as a log that can only be read, without a broker. A process may follow the log into it meanwhile.
 * @throws DreamfoldError not_found when no replica is there, store_corrupt, store_newer_than_code
 */
export async function openReplicaLog(options: ReplicaLogOptions): Promise<KafkaLog> {
  const replica = openReplica(options);
  const changes = new ChangeSignal();
  const looking = setInterval(() => changes.notify(), LOOK_MS).unref();
  return new KafkaLog({
    logId: replica.genesis.log_id,
    directory: replica.directory,
    capabilities: {
      ...{ name: 'replica', survives: { process: true, power: false } },
      ...{ shared: false, partitions: replica.partitions.length },
    },
    partitions: replica.partitions.map((one) => ({ replica: one, writer: NO_WRITER })),
    changes,
    settleKeys: null,
    blobs: {
      put: () => Promise.reject(readOnlyError(replica.directory)),
      get: async (sha256) => (/^[0-9a-f]{64}$/.test(sha256) ? replica.side.getBlob(sha256) : null),
      holds: (sha256) => replica.side.hasBlob(sha256),
      catchUp: () => Promise.resolve(),
      count: () => replica.side.blobs(),
    },
    clock: Date.now,
    join: () => Promise.reject(readOnlyError(replica.directory)),
    node: () => '',
    readOnly: true,
    release: async () => {
      clearInterval(looking);
      replica.close();
    },
  });
}

/** @throws as openReplicaLog does */
export function openReplica({ directory: place, storage }: ReplicaLogOptions): OpenReplica {
  const directory = findReplica(place, storage);
  const partitions: PartitionReplica[] = [];
  const close = (): void => {
    for (const replica of partitions) replica.close();
    side?.close();
  };
  let side: SideStore | null = null;
  const add = (partition: number, of: number): void => {
    partitions.push(openPartition(storage, { directory, partition, partitions: of, readOnly: true }));
  };
  try {
    add(0, 1);
    const genesis = genesisIn(partitions[0]!, 0);
    for (let partition = 1; partition < genesis.partitions; partition += 1) add(partition, genesis.partitions);
    side = storage.openSide({ directory, readOnly: true });
    return { directory, genesis, partitions, side, close };
  } catch (error) {
    close();
    throw error;
  }
}

function findReplica(place: string, storage: ReplicaStorage): string {
  const isReplica = (directory: string): boolean => existsSync(partitionFolder(directory, 0));
  for (const directory of [place, replicaOf({ directory: place })]) if (isReplica(directory)) return directory;
  const found = foldersIn(place)
    .map((slot) => replicaOf({ directory: slot }))
    .filter(isReplica);
  const [longest] = found.map((directory) => ({ directory, events: eventsIn(directory, storage) })).sort((a, b) => b.events - a.events);
  if (longest !== undefined) return longest.directory;
  const shown = place.slice(0, 200);
  throw new DreamfoldError('not_found', `There is no replica of a log in ${shown}`, {
    path: 'replica',
    value: shown,
    remedy: 'Name the folder of a log, DATA/kafka/PREFIX/LOG, or one of the replicas in it.',
  });
}

/** [] also for what is no folder, or cannot be read as one. */
function foldersIn(place: string): string[] {
  try {
    const entries = readdirSync(place, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(place, name));
  } catch {
    return [];
  }
}

function eventsIn(directory: string, storage: ReplicaStorage): number {
  let events = 0;
  for (let partition = 0; existsSync(partitionFolder(directory, partition)); partition += 1) {
    const replica = openPartition(storage, { directory, partition, partitions: partition + 1, readOnly: true });
    events += replica.count();
    replica.close();
  }
  return events;
}

/** Nothing is ever on its way. */
const NO_WRITER: NodePartition['writer'] = {
  append: () => Promise.reject(readOnlyError('replica')),
  send: () => Promise.reject(readOnlyError('replica')),
  drain: async () => {},
  stop: () => {},
};

function readOnlyError(path: string): DreamfoldError {
  return new DreamfoldError('store_read_only', 'A replica is only read', { path, remedy: 'Open the log on its brokers.' });
}
