import type { DatabaseSync } from 'node:sqlite';
import { DreamfoldError } from '@dreamfold/events';
import { corrupt } from './sqlite-error.ts';

/** In `PRAGMA user_version`. A database with a higher one was written by newer code. */
export const SCHEMA_VERSION = 1;

/** In `PRAGMA application_id`: "drmf". */
const APPLICATION_ID = 0x64726d66;

/** Stored in `events.class` by its index. */
export const CLASSES = ['open', 'owner', 'claim'] as const;

// A row holds what cannot be told from the rows around it: `prev` is the hash of the stream's previous row, the id of
// an append stands in its first row and the ids of its events follow from it, dataHash follows from data until data is
// erased. Names that repeat in every event are numbers. The view `log` puts it all together for a person.
const SCHEMA = [
  `CREATE TABLE streams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT`,
  `CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT`,
  `CREATE TABLE events (
  position INTEGER PRIMARY KEY,
  stream INTEGER NOT NULL REFERENCES streams,
  seq INTEGER NOT NULL,
  append_id TEXT,
  i INTEGER NOT NULL,
  n INTEGER NOT NULL,
  time INTEGER NOT NULL,
  type INTEGER NOT NULL REFERENCES names,
  v INTEGER NOT NULL,
  class INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  writer INTEGER NOT NULL REFERENCES names,
  causation ANY,
  correlation INTEGER REFERENCES names,
  actor INTEGER NOT NULL REFERENCES names,
  hash BLOB NOT NULL,
  data_hash BLOB,
  data TEXT,
  UNIQUE (stream, seq)
) STRICT`,
  `CREATE UNIQUE INDEX append_ids ON events (stream, append_id) WHERE append_id IS NOT NULL`,
  `CREATE INDEX claims ON events (stream, seq) WHERE class = 2`,
  `CREATE TABLE blobs (id INTEGER PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE, bytes BLOB NOT NULL) STRICT`,
  `CREATE VIEW log AS SELECT
  e.position, s.name AS stream, e.seq, datetime(e.time / 1000.0, 'unixepoch', 'subsec') AS time, t.name AS type, e.v,
  a.name AS actor, e.causation, c.name AS correlation, e.epoch, e.data
FROM events e JOIN streams s ON s.id = e.stream JOIN names t ON t.id = e.type JOIN names a ON a.id = e.actor
LEFT JOIN names c ON c.id = e.correlation`,
] as const;

/** Run inside a transaction, on an empty database. */
export function createSchema(db: DatabaseSync): void {
  for (const statement of SCHEMA) db.exec(statement);
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
}

/**
 * @returns whether there is a schema at all: false for a database that has just been made
 * @throws DreamfoldError store_newer_than_code, store_corrupt
 */
export function checkSchema(db: DatabaseSync, path: string): boolean {
  const version = pragma(db, 'user_version');
  const statements = db.prepare('SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid').all();
  if (version === 0 && statements.length === 0) return false;
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
  const asWritten = statements.length === SCHEMA.length && statements.every(({ sql }, i) => sql === SCHEMA[i]);
  if (version !== SCHEMA_VERSION || pragma(db, 'application_id') !== APPLICATION_ID || !asWritten) {
    throw corrupt(path, `${path} is an SQLite database, but not a Dreamfold log as it was created`);
  }
  return true;
}

function pragma(db: DatabaseSync, name: 'user_version' | 'application_id'): number {
  return db.prepare(`PRAGMA ${name}`).get()![name] as number;
}
