import type { ReplicaStorage } from '../rule/replica.ts';
import { acquireProcessorLock } from './processor-lock.ts';
import { inspectReplica } from './inspect-replica.ts';
import { openPartitionReplica } from './partition-replica.ts';
import { openSideStore } from './database/side-store.ts';

/** Replicas of a shared log in SQLite databases, one for each partition. */
export const sqliteReplicas: ReplicaStorage = {
  source: { module: '@dreamfold/log/sqlite', name: 'sqliteReplicas' },
  openPartition: openPartitionReplica,
  openSide: openSideStore,
  inspect: inspectReplica,
  lock: acquireProcessorLock,
};
