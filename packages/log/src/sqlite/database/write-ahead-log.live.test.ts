import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { hasWriteAheadLog, isApplied } from './write-ahead-log.ts';

let root: string;
let path: string;
let db: DatabaseSync;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dreamfold-wal-'));
  path = join(root, 'log.db');
  db = new DatabaseSync(path);
  db.exec('PRAGMA page_size = 1024; PRAGMA journal_mode = WAL; CREATE TABLE t (a TEXT)');
});
afterEach(() => {
  if (db.isOpen) db.close();
  rmSync(root, { recursive: true });
});

const checkpoint = (): void => db.exec('PRAGMA wal_checkpoint(PASSIVE)');

it('is applied when all that was committed stands in the database', () => {
  expect([hasWriteAheadLog(path), isApplied(path)]).toEqual([true, false]);
  checkpoint();
  expect([hasWriteAheadLog(path), isApplied(path)]).toEqual([true, true]);
  // The log begins anew, and what is left of the former one behind it counts no more.
  db.exec("INSERT INTO t VALUES ('x')");
  expect(isApplied(path)).toBe(false);
  checkpoint();
  expect(isApplied(path)).toBe(true);
});

it('is not applied when a page of the same place differs', () => {
  db.exec("INSERT INTO t VALUES ('one')");
  checkpoint();
  db.exec("UPDATE t SET a = 'two'");
  expect(isApplied(path)).toBe(false);
});

it('leaves out what was not committed, and what was torn', () => {
  checkpoint();
  db.exec('PRAGMA cache_size = 1; BEGIN');
  for (let i = 0; i < 200; i += 1) db.exec(`INSERT INTO t VALUES ('${'y'.repeat(500)}')`);
  expect(isApplied(path)).toBe(true);
  db.exec('ROLLBACK');
  appendFileSync(`${path}-wal`, Buffer.alloc(500, 7));
  expect(isApplied(path)).toBe(true);
});

it('is applied when it is too short to hold anything', () => {
  db.close();
  writeFileSync(`${path}-wal`, 'x');
  expect([hasWriteAheadLog(path), isApplied(path)]).toEqual([true, true]);
});
