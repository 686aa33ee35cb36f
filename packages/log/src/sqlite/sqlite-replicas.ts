import type { ReplicaStorage } from '../replica.ts';
import { destroyPartitionReplica, openPartitionReplica } from './partition-replica.ts';
import { destroySideStore, openSideStore } from './side-store.ts';

/** Replicas of a shared log in SQLite databases, one for each partition. */
export const sqliteReplicas: ReplicaStorage = {
  openPartition: openPartitionReplica,
  destroyPartition: destroyPartitionReplica,
  openSide: openSideStore,
  destroySide: destroySideStore,
};
