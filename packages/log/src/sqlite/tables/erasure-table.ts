import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { StoredEvent } from '@dreamfold/events';

/** A record that counts for nobody, and holds a payload that its key opens. */
export interface RefusedCopy {
  keyId: string;
  seq: number;
  /** Of its envelope. */
  hash: string;
}

/** What a replica knows of the payloads that were erased of its partition: which, since when, and where else on the log their text stands. */
export class ErasureTable {
  readonly #add: StatementSync;
  readonly #unseen: StatementSync;
  readonly #see: StatementSync;
  readonly #owing: StatementSync;
  readonly #ofStream: StatementSync;
  readonly #settle: StatementSync;
  readonly #addCopy: StatementSync;
  readonly #copies: StatementSync;

  constructor(db: DatabaseSync) {
    // Once more for one that was carried out: a copy of it has come since.
    this.#add = db.prepare('INSERT INTO erasures (stream, seq) VALUES (?, ?) ON CONFLICT (stream, seq) DO UPDATE SET destroyed = 0');
    this.#unseen = db.prepare('SELECT 1 FROM erasures WHERE destroyed = 0 AND since IS NULL LIMIT 1');
    this.#see = db.prepare('UPDATE erasures SET since = ? WHERE destroyed = 0 AND since IS NULL');
    this.#owing = db.prepare('SELECT DISTINCT stream FROM erasures WHERE destroyed = 0 AND since <= ?');
    this.#ofStream = db.prepare('SELECT seq, since, destroyed FROM erasures WHERE stream = ? ORDER BY seq');
    this.#settle = db.prepare('UPDATE erasures SET destroyed = 1 WHERE stream = ? AND seq = ?');
    this.#addCopy = db.prepare('INSERT INTO refused_copies (stream, id, data_hash, hash, key, seq) VALUES (?, ?, ?, ?, ?, ?)');
    this.#copies = db.prepare('SELECT key, seq, hash FROM refused_copies WHERE stream = ? AND (id = ? OR data_hash = ?)');
  }

  add(streamId: number, seq: number): void {
    this.#add.run(streamId, seq);
  }

  /** Whether {@link see} has something to do. */
  get hasUnseen(): boolean {
    return this.#unseen.get() !== undefined;
  }

  see(now: number): void {
    this.#see.run(now);
  }

  /** Streams with keys that may be left, of what was seen by a time. */
  owing(knownBy: number): number[] {
    return this.#owing.all(knownBy).map((row) => row['stream'] as number);
  }

  ofStream(streamId: number): { seq: number; since: number | null; isDestroyed: boolean }[] {
    return this.#ofStream.all(streamId).map(({ seq, since, destroyed }) => ({
      seq: seq as number,
      since: since as number | null,
      isDestroyed: destroyed === 1,
    }));
  }

  settle(streamId: number, seq: number): void {
    this.#settle.run(streamId, seq);
  }

  addCopy(streamId: number, { id, dataHash, hash, seq }: StoredEvent, keyId: string): void {
    this.#addCopy.run(streamId, id, dataHash, hash, keyId, seq);
  }

  /** Those with the id or the payload of an event. */
  copiesOf(streamId: number, { id, dataHash }: Pick<StoredEvent, 'id' | 'dataHash'>): RefusedCopy[] {
    return this.#copies.all(streamId, id, dataHash).map((row) => ({
      keyId: row['key'] as string,
      seq: row['seq'] as number,
      hash: row['hash'] as string,
    }));
  }
}
