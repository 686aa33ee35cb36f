/**
 * The log on SQLite.
 * @module @dreamfold/log/sqlite
 */
export type { LogReadNotice } from './database/log-database.ts';
export { acquireProcessorLock, findProcessor } from './processor-lock.ts';
export { openSqliteLog, type SqliteLogOptions } from './open-sqlite-log.ts';
export { sqliteReplicas } from './sqlite-replicas.ts';
