import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DatabaseSync } from 'node:sqlite';
import { isDreamfoldError } from '@dreamfold/events';
import { sha256, sha256Hex } from '../../rule/append.ts';
import type { VerifyReport } from '../../port.ts';
import { StreamVerifier, type VerifiedLog } from '../../rule/verify-stream.ts';
import { EventTable } from '../tables/event-table.ts';
import { checkHead } from './head-file.ts';
import type { LogDatabase } from './log-database.ts';
import { openForReading } from './open-for-reading.ts';
import { asStoreError, checkRises } from './sqlite-error.ts';

export interface VerifyOptions extends Pick<VerifiedLog, 'skipped'> {
  /** Left out: the blobs of the database itself. */
  hasBlob?: VerifiedLog['hasBlob'];
  onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Reads the whole database as it is at one moment, through a connection of its own, one stream after the other:
 * what is held in memory is a batch, however long the log.
 */
export async function verifyDatabase(
  { path, headFile }: Pick<LogDatabase, 'path' | 'headFile'>,
  { skipped, hasBlob, onProgress }: VerifyOptions,
): Promise<VerifyReport> {
  const { db } = openForReading(path, headFile);
  let blobs = 0;
  let table: EventTable | undefined;
  let streamId = 0;
  const verifier = new StreamVerifier(sha256, {
    findAppend: (_, id, before) => table!.findAppend(streamId, id, before),
    hasBlob: hasBlob ?? holdsBlob(db),
    skipped,
  });
  try {
    const head = headFile.read();
    db.exec('BEGIN');
    table = new EventTable(db);
    checkPages(db, verifier);
    checkPositions(db, verifier);
    checkHead(headFile.path, head, table);
    const total = count(db, 'events');
    for (let [next] = table.streams.after(0, 1); next !== undefined; [next] = table.streams.after(streamId, 1)) {
      streamId = next.id;
      verifier.begin(next.name);
      for (let from = 1; ;) {
        const batch = table.readStored(streamId, from, Number.MAX_SAFE_INTEGER);
        if (batch.length === 0) break;
        for (const event of batch) verifier.add(event);
        from = batch.at(-1)!.seq + 1;
        onProgress?.(verifier.events, total);
        await nextTurn();
      }
      verifier.end();
    }
    if (verifier.events !== total) {
      verifier.problem({ stream: null, seq: null, problem: `${total - verifier.events} events belong to no stream` });
    }
    blobs = await checkBlobs(db, verifier);
  } catch (error) {
    const named = asStoreError(error, path);
    if (!isDreamfoldError(named, 'store_corrupt')) throw named;
    verifier.problem({ stream: null, seq: null, problem: named.message });
  } finally {
    db.close();
  }
  return verifier.report({ blobs });
}

function holdsBlob(db: DatabaseSync): (sha256: string) => boolean {
  const select = db.prepare('SELECT 1 FROM blobs WHERE sha256 = ?');
  return (sha256) => select.get(Buffer.from(sha256, 'hex')) !== undefined;
}

function count(db: DatabaseSync, table: 'events' | 'blobs'): number {
  return db.prepare(`SELECT count(*) AS n FROM ${table}`).get()!['n'] as number;
}

/** Pages, rows against indexes, UNIQUE and NOT NULL: SQLite's own check. */
function checkPages(db: DatabaseSync, verifier: StreamVerifier): void {
  for (const { integrity_check: found } of db.prepare('PRAGMA integrity_check').all()) {
    if (found !== 'ok') verifier.problem({ stream: null, seq: null, problem: `SQLite: ${String(found)}` });
  }
}

function checkPositions(db: DatabaseSync, verifier: StreamVerifier): void {
  const { n, first, last } = db.prepare('SELECT count(*) AS n, min(position) AS first, max(position) AS last FROM events').get()!;
  if (n !== 0 && (first !== 1 || last !== n)) {
    verifier.problem({
      stream: null,
      seq: null,
      problem: `${String(n)} events stand at the positions ${String(first)} to ${String(last)}`,
    });
  }
}

async function checkBlobs(db: DatabaseSync, verifier: StreamVerifier): Promise<number> {
  let blobs = 0;
  const next = db.prepare('SELECT id, sha256, bytes FROM blobs WHERE id > ? ORDER BY id LIMIT 1');
  for (let last = 0, row = next.get(last); row !== undefined; row = next.get(last)) {
    checkRises(row['id'], last);
    last = row['id'] as number;
    blobs += 1;
    const { sha256: named, bytes } = row;
    const intact = named instanceof Uint8Array && bytes instanceof Uint8Array && sha256Hex(bytes) === Buffer.from(named).toString('hex');
    if (!intact) verifier.problem({ stream: null, seq: null, problem: `blob ${String(row['id'])} is not what its hash says` });
    await nextTurn();
  }
  return blobs;
}
