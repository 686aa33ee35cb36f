/**
 * The log on SQLite.
 * @module @dreamfold/log/sqlite
 */
export { openSqliteLog, type SqliteLogOptions } from './open-sqlite-log.ts';
export { sqliteReplicas } from './sqlite-replicas.ts';
