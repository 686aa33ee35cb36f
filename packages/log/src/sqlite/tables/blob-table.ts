import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { sha256Hex } from '../../rule/append.ts';

/** Bytes that are too large for an event, under their sha-256. */
export class BlobTable {
  readonly #insert: StatementSync;
  readonly #select: StatementSync;
  readonly #delete: StatementSync;

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare('INSERT INTO blobs (sha256, bytes) VALUES (?, ?) ON CONFLICT (sha256) DO NOTHING');
    this.#select = db.prepare('SELECT bytes FROM blobs WHERE sha256 = ?');
    this.#delete = db.prepare('DELETE FROM blobs WHERE sha256 = ?');
  }

  put(bytes: Uint8Array): { sha256: string; size_bytes: number } {
    const sha256 = sha256Hex(bytes);
    this.#insert.run(Buffer.from(sha256, 'hex'), bytes);
    return { sha256, size_bytes: bytes.byteLength };
  }

  remove(sha256: string): void {
    this.#delete.run(Buffer.from(sha256, 'hex'));
  }

  get(sha256: string): Uint8Array | null {
    const row = this.#select.get(Buffer.from(sha256, 'hex'));
    return (row?.['bytes'] as Uint8Array | undefined) ?? null;
  }
}
