/**
 * Projections in an SQLite database of their own.
 * @module @dreamfold/projections/sqlite
 */
export { openSqliteStore, type SqliteStoreOptions } from './sqlite-store.ts';
