import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { ReplicaStatus } from '../rule/replica.ts';
import { openDatabaseAsItIs, openDatabaseFile } from './database/database-file.ts';
import { SIDE_FILE } from './database/side-store.ts';
import { asStoreError } from './database/sqlite-error.ts';
import { hasWriteAheadLog } from './database/write-ahead-log.ts';
import { REPLICA_FILE } from './partition-replica.ts';
import { AnchorRow } from './tables/anchor-row.ts';
import { ChunkTable } from './tables/chunk-table.ts';

/**
 * Looks at a replica, also beside the process that folds it; nothing is made, and nothing is checked.
 * @param directory holds a folder for each partition, and the side store
 * @throws DreamfoldError store_corrupt, store_unavailable
 */
export function inspectReplica(directory: string): ReplicaStatus {
  const partitions = readdirSync(directory).flatMap((name) => {
    const partition = /^partition-(\d+)$/.exec(name)?.[1];
    const path = join(directory, name, REPLICA_FILE);
    if (partition === undefined || !existsSync(path)) return [];
    return looking(path, (db) => {
      const setAside = db.prepare('SELECT count(*) AS n FROM set_aside').get()!['n'] as number;
      return [{ partition: Number(partition), offset: new AnchorRow(db).read()?.offset ?? 0, setAside }];
    });
  });
  const side = join(directory, SIDE_FILE);
  const incompletePuts = existsSync(side) ? looking(side, (db) => new ChunkTable(db).waiting()) : { puts: 0, sizeBytes: 0 };
  return { partitions: partitions.sort((a, b) => a.partition - b.partition), incompletePuts };
}

/** Without a write-ahead log nobody has it open, and to open it as usual would make one. */
function looking<T>(path: string, look: (db: DatabaseSync) => T): T {
  try {
    const db = hasWriteAheadLog(path) ? openDatabaseFile(path, { readOnly: true }) : openDatabaseAsItIs(path);
    try {
      return look(db);
    } finally {
      db.close();
    }
  } catch (error) {
    throw asStoreError(error, path);
  }
}
