export { openSqliteLog, type SqliteLogOptions } from './open-sqlite-log.ts';
export { destroyPartitionReplica, openPartitionReplica, type PartitionReplicaOptions } from './partition-replica.ts';
export { destroySideStore, openSideStore } from './side-store.ts';
