import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { BlobChunk, SideStore } from '../../rule/replica.ts';
import { ChunkTable } from '../tables/chunk-table.ts';
import { openDatabaseFile } from './database-file.ts';
import { closedError } from './database-writer.ts';
import { checkDirectory, configure } from './log-database.ts';
import { SIDE_SCHEMA, checkSchema, createSchema } from '../tables/schema.ts';
import { asStoreError } from './sqlite-error.ts';

export const SIDE_FILE = 'side.db';

/**
 * Opens a side store, or begins one. What it holds is built again from the log.
 * @param options.directory holds `side.db`; it is made when its parent exists, unless it is only read
 * @throws DreamfoldError store_corrupt: delete it, and read the log again; and those of openSqliteLog
 */
export function openSideStore({ directory, readOnly = false }: { directory: string; readOnly?: boolean }): SideStore {
  checkDirectory(directory, readOnly);
  const path = join(directory, SIDE_FILE);
  try {
    const db = openDatabaseFile(path, { readOnly });
    try {
      if (readOnly) return new SqliteSideStore(db, path);
      configure(db, false, path);
      db.exec('BEGIN IMMEDIATE');
      if (!checkSchema(db, path, SIDE_SCHEMA)) createSchema(db, SIDE_SCHEMA);
      db.exec('COMMIT');
      return new SqliteSideStore(db, path);
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    throw asStoreError(error, path);
  }
}

class SqliteSideStore implements SideStore {
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #chunks: ChunkTable;
  readonly #putKey: StatementSync;
  readonly #getKey: StatementSync;
  readonly #keyIds: StatementSync;
  readonly #offset: StatementSync;
  readonly #setOffset: StatementSync;
  /** A key was replaced, and the write-ahead log still holds it as it was. */
  #replaced = false;

  constructor(db: DatabaseSync, path: string) {
    this.#db = db;
    this.#path = path;
    this.#chunks = new ChunkTable(db);
    this.#putKey = db.prepare('INSERT OR REPLACE INTO sealing_keys (id, value) VALUES (?, ?)');
    this.#getKey = db.prepare('SELECT value FROM sealing_keys WHERE id = ?');
    this.#keyIds = db.prepare('SELECT id FROM sealing_keys WHERE id >= ? AND id < ? ORDER BY id');
    this.#offset = db.prepare('SELECT offset FROM offsets WHERE topic = ?');
    this.#setOffset = db.prepare('INSERT OR REPLACE INTO offsets (topic, offset) VALUES (?, ?)');
  }

  getBlob(sha256: string): Uint8Array | null {
    return this.#guard(() => this.#chunks.get(sha256));
  }

  hasBlob(sha256: string): boolean {
    return this.#guard(() => this.#chunks.has(sha256));
  }

  blobs(): number {
    return this.#guard(() => this.#chunks.count());
  }

  addChunk(chunk: BlobChunk): void {
    this.#guard(() => this.#chunks.add(chunk));
  }

  dropChunks(mostBytes: number): void {
    this.#guard(() => this.#chunks.dropOldest(mostBytes));
  }

  incompletePuts(): { puts: number; sizeBytes: number } {
    return this.#guard(() => this.#chunks.waiting());
  }

  putKey(id: string, value: string): void {
    this.#guard(() => {
      const before = this.getKey(id);
      if (before === value) return;
      this.#putKey.run(id, value);
      if (before === null) return;
      this.#replaced = true;
      if (!this.#db.isTransaction) this.#forgetReplaced();
    });
  }

  getKey(id: string): string | null {
    return this.#guard(() => (this.#getKey.get(id)?.['value'] as string | undefined) ?? null);
  }

  keyIds(prefix: string): string[] {
    return this.#guard(() => this.#keyIds.all(prefix, `${prefix}\u{10ffff}`).map(({ id }) => id as string));
  }

  offset(topic: string): number {
    return this.#guard(() => (this.#offset.get(topic)?.['offset'] as number | undefined) ?? 0);
  }

  setOffset(topic: string, offset: number): void {
    this.#guard(() => this.#setOffset.run(topic, offset));
  }

  transaction<T>(run: () => T): T {
    return this.#guard(() => {
      this.#db.exec('BEGIN IMMEDIATE');
      let result: T;
      try {
        result = run();
        this.#db.exec('COMMIT');
      } catch (error) {
        if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
        this.#replaced = false;
        this.#chunks.forget();
        throw error;
      }
      if (this.#replaced) this.#forgetReplaced();
      return result;
    });
  }

  /** A key is replaced by one that opens less: what it no longer opens must not be found in a file. */
  #forgetReplaced(): void {
    this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    this.#replaced = false;
  }

  close(): void {
    if (this.#db.isOpen) this.#guard(() => this.#db.close());
  }

  #guard<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      if (!this.#db.isOpen) throw closedError(this.#path);
      throw asStoreError(error, this.#path);
    }
  }
}
