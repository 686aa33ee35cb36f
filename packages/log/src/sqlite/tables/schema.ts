import type { DatabaseSync } from 'node:sqlite';
import { DreamfoldError } from '@dreamfold/events';
import { corrupt } from '../database/sqlite-error.ts';

/** In `PRAGMA user_version`. A database with a higher one was written by newer code. */
export const SCHEMA_VERSION = 1;

/** What a database was made with, and is compared with when it is opened. */
interface Schema {
  /** In `PRAGMA application_id`: four letters. */
  application: number;
  statements: readonly string[];
  /** Completes "is an SQLite database, but not …". */
  name: string;
}

/** The few append ids that read like the id of an inner event (`a-1`) have an index of their own. */
export const INNER_LIKE = "append_id GLOB '*-[0-9]*'";

const BLOBS = `CREATE TABLE blobs (id INTEGER PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE, bytes BLOB NOT NULL) STRICT`;

// A row holds what cannot be told from the rows around it:
//
//   - `prev` is the hash of the stream's row before it;
//   - append_id, n, time, writer and correlation are those of an append, and stand in its first row; they are NULL in
//     the rows that follow, whose ids are the append's with -1, -2, …;
//   - `kind` is a type with its version and class, and a number like every name that repeats;
//   - `epoch` is negative for a claim, so that the newest claim is found by an index of the claims alone;
//   - `data` is the payload, and once that is erased the 32 bytes of its hash.
//
// The end of an id is enough to look it up, and half the size in the index. The view `log` is for a person.
//
// `anchor`, `set_aside`, `erasures` and `refused_copies` are empty in a log of its own: they say where the replica of a partition stands
// in it, keep the records that are no events, and which payloads were erased, with what else on the log still holds their text.
const EVENTS = [
  `CREATE TABLE streams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT`,
  `CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT`,
  `CREATE TABLE events (
  position INTEGER PRIMARY KEY,
  stream INTEGER NOT NULL REFERENCES streams,
  seq INTEGER NOT NULL,
  append_id TEXT,
  n INTEGER,
  time INTEGER,
  writer INTEGER REFERENCES names,
  correlation INTEGER REFERENCES names,
  kind INTEGER NOT NULL REFERENCES names,
  epoch INTEGER NOT NULL,
  actor INTEGER NOT NULL REFERENCES names,
  causation ANY,
  hash BLOB NOT NULL,
  data ANY NOT NULL,
  UNIQUE (stream, seq)
) STRICT`,
  `CREATE INDEX append_ids ON events (stream, substr(append_id, -6)) WHERE append_id IS NOT NULL`,
  `CREATE INDEX inner_like_ids ON events (stream) WHERE ${INNER_LIKE}`,
  `CREATE INDEX claims ON events (stream, seq) WHERE epoch < 0`,
  BLOBS,
  `CREATE TABLE anchor (id INTEGER PRIMARY KEY CHECK (id = 1), offset INTEGER NOT NULL, digest TEXT NOT NULL, term INTEGER NOT NULL) STRICT`,
  `CREATE TABLE set_aside (offset INTEGER PRIMARY KEY, reason TEXT NOT NULL, bytes BLOB NOT NULL) STRICT`,
  `CREATE TABLE erasures (stream INTEGER NOT NULL REFERENCES streams, seq INTEGER NOT NULL, since INTEGER, destroyed INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (stream, seq)) STRICT, WITHOUT ROWID`,
  `CREATE INDEX keys_owed ON erasures (stream) WHERE destroyed = 0`,
  `CREATE TABLE refused_copies (stream INTEGER NOT NULL REFERENCES streams, id TEXT NOT NULL, data_hash TEXT NOT NULL, hash TEXT NOT NULL, key TEXT NOT NULL, seq INTEGER NOT NULL) STRICT`,
  `CREATE INDEX copies_of_streams ON refused_copies (stream)`,
  `CREATE VIEW log AS SELECT
  e.position, s.name AS stream, e.seq, datetime(f.time / 1000.0, 'unixepoch', 'subsec') AS time, k.name AS kind,
  a.name AS actor, e.causation, c.name AS correlation, abs(e.epoch) AS epoch, iif(typeof(e.data) = 'text', e.data, NULL) AS data
FROM events e
JOIN events f ON f.position = (SELECT max(position) FROM events WHERE position <= e.position AND append_id IS NOT NULL)
JOIN streams s ON s.id = e.stream JOIN names k ON k.id = e.kind JOIN names a ON a.id = e.actor
LEFT JOIN names c ON c.id = f.correlation`,
] as const;

/** Events, and what belongs to them: an embedded log, or the replica of a partition. */
export const LOG_SCHEMA: Schema = { application: 0x64726d66, statements: EVENTS, name: 'a Dreamfold log' };

/** What a node keeps of a shared log beside the events. */
export const SIDE_SCHEMA: Schema = {
  application: 0x64726d73,
  statements: [
    `CREATE TABLE blob_puts (
  id INTEGER PRIMARY KEY,
  sha256 TEXT NOT NULL,
  put TEXT NOT NULL,
  chunks INTEGER NOT NULL,
  held INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  newest INTEGER NOT NULL,
  whole INTEGER NOT NULL,
  UNIQUE (sha256, put, chunks)
) STRICT`,
    `CREATE UNIQUE INDEX whole_blobs ON blob_puts (sha256) WHERE whole = 1`,
    `CREATE INDEX waiting_puts ON blob_puts (newest) WHERE whole = 0`,
    `CREATE TABLE blob_chunks (put INTEGER NOT NULL REFERENCES blob_puts, chunk INTEGER NOT NULL, bytes BLOB NOT NULL, UNIQUE (put, chunk)) STRICT`,
    `CREATE TABLE sealing_keys (id TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID`,
    `CREATE TABLE offsets (topic TEXT PRIMARY KEY, offset INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
  ],
  name: 'a side store of Dreamfold',
};

/** Run inside a transaction, on an empty database. */
export function createSchema(db: DatabaseSync, schema: Schema): void {
  for (const statement of schema.statements) db.exec(statement);
  db.exec(`PRAGMA application_id = ${schema.application}`);
  db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
}

/**
 * @returns whether there is a schema at all: false for a database that has just been made
 * @throws DreamfoldError store_newer_than_code, store_corrupt
 */
export function checkSchema(db: DatabaseSync, path: string, schema: Schema): boolean {
  const version = pragma(db, 'user_version');
  const found = db.prepare('SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid').all();
  if (version === 0 && found.length === 0) return false;
  if (version > SCHEMA_VERSION) {
    throw new DreamfoldError(
      'store_newer_than_code',
      `${path} has schema ${version}; this Dreamfold knows schemas up to ${SCHEMA_VERSION}`,
      {
        path,
        value: version,
        remedy: 'Use the Dreamfold that wrote it, or a newer one.',
      },
    );
  }
  const { application, statements, name } = schema;
  const asWritten = found.length === statements.length && found.every(({ sql }, i) => sql === statements[i]);
  if (version !== SCHEMA_VERSION || pragma(db, 'application_id') !== application || !asWritten) {
    throw corrupt(path, `${path} is an SQLite database, but not ${name} as it was created`);
  }
  return true;
}

function pragma(db: DatabaseSync, name: 'user_version' | 'application_id'): number {
  return db.prepare(`PRAGMA ${name}`).get()![name] as number;
}
