import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { DreamfoldError } from '@dreamfold/events';
import type { CountedEvents } from '../tables/counted-events.ts';
import { ErasedFile } from './erased-file.ts';
import type { LogHead } from './head-file.ts';
import type { LogDatabase } from './log-database.ts';
import { asStoreError } from './sqlite-error.ts';

/** The transactions of one connection, each followed by the head file. */
export class DatabaseWriter {
  readonly #database: LogDatabase;
  readonly #db: DatabaseSync;
  readonly #events: CountedEvents;
  readonly #full: boolean;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #dataVersion: StatementSync;
  /** Of the database, when `#events` was read: another connection's commit changes it. */
  #version = -1;
  readonly #erased: ErasedFile;
  /** The head file is behind what was committed here. */
  #headOwed = false;

  /** @param full every acknowledged commit is on the disk, not only with the operating system */
  constructor(database: LogDatabase, events: CountedEvents, full: boolean) {
    this.#database = database;
    this.#db = database.db;
    this.#events = events;
    this.#full = full;
    this.#erased = new ErasedFile(database.path);
    this.#begin = this.#db.prepare('BEGIN IMMEDIATE');
    this.#commit = this.#db.prepare('COMMIT');
    this.#dataVersion = this.#db.prepare('PRAGMA data_version');
    this.#dataVersion.setReturnArrays(true);
  }

  /**
   * Takes the write lock, runs, commits, and writes the head file. Whatever fails, nothing of it is left. Of what was erased nothing is
   * left in the files either.
   * @returns what `work` returned, and whether events were added
   */
  run<T>(work: () => T): { result: T; added: boolean } {
    this.guard(() => {
      if (this.#headOwed) this.#writeHead();
      this.#begin.run();
    });
    let before: LogHead;
    let result: T;
    try {
      this.refresh();
      before = this.#events.last;
      this.#events.erasedIn.clear();
      result = work();
      this.#erased.add(this.#events.erasedIn);
      this.#commit.run();
    } catch (error) {
      this.#rollBack();
      throw asStoreError(error, this.#database.path);
    }
    const added = this.#events.last !== before;
    if (added) {
      this.#headOwed = true;
      try {
        this.#writeHead();
      } catch {
        // What was committed counts, so this is no failure of it; the next transaction does not begin before the file is written.
      }
    }
    if (this.#events.erasedIn.size > 0) this.#finishErasure();
    return { result, added };
  }

  #writeHead(): void {
    this.#database.headFile.write(this.#events.last, this.#full);
    this.#headOwed = false;
  }

  #rollBack(): void {
    // What is cached may come from the transaction that is undone.
    this.#version = -1;
    this.#events.table.forgetNames();
    // SQLite has rolled back by itself after some errors, a full disk among them.
    if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
  }

  /** Forgets what another connection may have changed. */
  refresh(): void {
    const version = this.version();
    if (version === this.#version) return;
    this.#version = version;
    this.#events.reread();
  }

  /** Where no other connection writes: only a transaction that was undone may have left something behind. */
  refreshAfterFailure(): void {
    if (this.#version === -1) this.refresh();
  }

  /** As of the last {@link refresh}: it changes when another connection commits. */
  get seenVersion(): number {
    return this.#version;
  }

  /** Asks the database. */
  version(): number {
    return (this.#dataVersion.get() as unknown as [number])[0];
  }

  /** The streams whose payloads were erased since a mark: see {@link ErasedFile}. */
  erasedSince(mark: number): { mark: number; streams: readonly string[] } | null {
    return this.guard(() => this.#erased.since(mark));
  }

  #finishErasure(): void {
    try {
      this.#erased.add(this.#events.erasedIn);
      // It still holds pages as they were before.
      this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // What was committed counts. The first note is there, and a later checkpoint writes over the pages.
    }
  }

  /** Runs, and gives errors their names. */
  guard<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      if (!this.#db.isOpen) throw closedError(this.#database.path);
      throw asStoreError(error, this.#database.path);
    }
  }
}

/** What whoever uses a log after `close` is told. @param path of the database */
export function closedError(path: string): DreamfoldError {
  return new DreamfoldError('store_unavailable', 'The log is closed', { path, remedy: 'Open it again.' });
}
