import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { sha256Hex } from '../../rule/append.ts';
import type { BlobChunk } from '../../rule/replica.ts';

/** What a put takes on the disk beside the bytes of its chunks, at least: pages of its rows. */
const PUT_BYTES = 4096;

/** Blobs that come in chunks, by the put that a chunk belongs to. The chunks of a whole one stay as they came, so each is written once. */
export class ChunkTable {
  readonly #addPut: StatementSync;
  readonly #findPut: StatementSync;
  readonly #addChunk: StatementSync;
  readonly #grow: StatementSync;
  readonly #chunks: StatementSync;
  readonly #setWhole: StatementSync;
  readonly #findWhole: StatementSync;
  readonly #countWhole: StatementSync;
  readonly #oldest: StatementSync;
  readonly #others: StatementSync;
  readonly #deleteChunks: StatementSync;
  readonly #deletePut: StatementSync;
  readonly #sum: StatementSync;
  /** Of all that are not whole. Null where it has to be summed up: at the start, and after a transaction that was rolled back. */
  #waitingBytes: number | null = null;

  constructor(db: DatabaseSync) {
    this.#addPut = db.prepare(
      `INSERT INTO blob_puts (sha256, put, chunks, held, size_bytes, newest, whole) VALUES (?, ?, ?, 0, ${PUT_BYTES}, ?, 0) ON CONFLICT DO NOTHING`,
    );
    this.#findPut = db.prepare('SELECT id, held FROM blob_puts WHERE sha256 = ? AND put = ? AND chunks = ?');
    this.#addChunk = db.prepare('INSERT INTO blob_chunks (put, chunk, bytes) VALUES (?, ?, ?) ON CONFLICT DO NOTHING');
    this.#grow = db.prepare(
      'UPDATE blob_puts SET held = held + 1, size_bytes = size_bytes + ?, newest = ? WHERE id = ? RETURNING size_bytes',
    );
    this.#chunks = db.prepare('SELECT bytes FROM blob_chunks WHERE put = ? ORDER BY chunk');
    this.#setWhole = db.prepare('UPDATE blob_puts SET whole = 1 WHERE id = ?');
    this.#findWhole = db.prepare('SELECT id FROM blob_puts WHERE sha256 = ? AND whole = 1');
    this.#countWhole = db.prepare('SELECT count(*) AS n FROM blob_puts WHERE whole = 1');
    this.#oldest = db.prepare('SELECT id, size_bytes FROM blob_puts WHERE whole = 0 ORDER BY newest, id LIMIT 1');
    this.#others = db.prepare('SELECT id, size_bytes FROM blob_puts WHERE sha256 = ? AND whole = 0');
    this.#deleteChunks = db.prepare('DELETE FROM blob_chunks WHERE put = ?');
    this.#deletePut = db.prepare('DELETE FROM blob_puts WHERE id = ?');
    this.#sum = db.prepare('SELECT count(*) AS puts, coalesce(sum(size_bytes), 0) AS bytes FROM blob_puts WHERE whole = 0');
  }

  get(sha256: string): Uint8Array | null {
    const row = this.#findWhole.get(sha256);
    return row === undefined ? null : this.#joined(row['id'] as number);
  }

  has(sha256: string): boolean {
    return this.#findWhole.get(sha256) !== undefined;
  }

  count(): number {
    return this.#countWhole.get()!['n'] as number;
  }

  add({ sha256, put, chunk, chunks, bytes, offset }: BlobChunk): void {
    const before = this.#bytes();
    if (this.#addPut.run(sha256, put, chunks, offset).changes > 0) this.#waitingBytes = before + PUT_BYTES;
    const { id, held } = this.#findPut.get(sha256, put, chunks) as { id: number; held: number };
    if (this.#addChunk.run(id, chunk, bytes).changes === 0) return;
    const { size_bytes: size } = this.#grow.get(bytes.byteLength, offset, id) as { size_bytes: number };
    this.#waitingBytes = this.#bytes() + bytes.byteLength;
    if (held + 1 < chunks) return;
    if (sha256Hex(this.#joined(id)) !== sha256) return this.#drop(id, size);
    this.#setWhole.run(id);
    this.#waitingBytes -= size;
    for (const other of this.#others.all(sha256)) this.#drop(other['id'] as number, other['size_bytes'] as number);
  }

  dropOldest(mostBytes: number): void {
    while (this.#bytes() > mostBytes) {
      const { id, size_bytes: size } = this.#oldest.get() as { id: number; size_bytes: number };
      this.#drop(id, size);
    }
  }

  waiting(): { puts: number; sizeBytes: number } {
    const { puts, bytes } = this.#sum.get()!;
    return { puts: puts as number, sizeBytes: bytes as number };
  }

  /** What was changed since the last commit was rolled back. */
  forget(): void {
    this.#waitingBytes = null;
  }

  #bytes(): number {
    return (this.#waitingBytes ??= this.waiting().sizeBytes);
  }

  #joined(id: number): Uint8Array {
    return Buffer.concat(this.#chunks.all(id).map((row) => row['bytes'] as Uint8Array));
  }

  #drop(id: number, size: number): void {
    this.#deleteChunks.run(id);
    this.#deletePut.run(id);
    this.#waitingBytes = this.#bytes() - size;
  }
}
