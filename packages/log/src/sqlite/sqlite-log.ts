import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { DreamfoldError, type LogEvent, type StoredEvent } from '@dreamfold/events';
import {
  answerAppend,
  checkSameAppend,
  isOnTop,
  newWriterName,
  prepareAppend,
  proposalOn,
  refusalError,
  stampAppend,
  type PreparedAppend,
} from '../append.ts';
import { checkErasable } from '../genesis.ts';
import type {
  Appended,
  AppendRequest,
  Head,
  Log,
  LogCapabilities,
  ReadOptions,
  StreamInfo,
  SubscribeOptions,
  VerifyReport,
} from '../port.ts';
import { checkPosition, checkRange } from '../read-range.ts';
import { restorePlan } from '../restore.ts';
import { EMPTY_HEAD, fate } from '../rule.ts';
import { BATCH_SIZE, ChangeSignal, subscribeBy, type Waiting } from '../subscription.ts';
import { BlobTable } from './blob-table.ts';
import { EventTable } from './event-table.ts';
import type { HeadFile, LogHead } from './head-file.ts';
import { Sequencer } from './sequencer.ts';
import { asStoreError } from './sqlite-error.ts';
import { verifyDatabase } from './verify-database.ts';

/** How often a subscription looks for what other processes have appended. */
const POLL_MS = 100;

/** Heads kept in memory; beyond that they are read again. */
const MAX_CACHED_HEADS = 10_000;

/** Ids that read like those of inner events; what the index `inner_like_ids` holds, or less. */
const INNER_LIKE = /-[0-9]+$/;

export interface SqliteLogParts {
  db: DatabaseSync;
  /** Path of the database. */
  path: string;
  headFile: HeadFile;
  logId: string;
  clock: () => number;
  readOnly: boolean;
  /** Every acknowledged append is on the disk, not only with the operating system. */
  full: boolean;
}

/** The log in one SQLite database, open. {@link openSqliteLog} makes it. */
export class SqliteLog implements Log {
  readonly capabilities: LogCapabilities;
  readonly logId: string;
  readonly #parts: SqliteLogParts;
  readonly #db: DatabaseSync;
  readonly #table: EventTable;
  readonly #blobs: BlobTable;
  readonly #writer = newWriterName();
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #dataVersion: StatementSync;
  readonly #heads = new Map<number, Head>();
  /** Streams that are known to have no append id such as `a-1`: nothing to look up for inner events there. */
  readonly #plainIds = new Set<number>();
  readonly #sequencer: Sequencer<PreparedAppend, Appended>;
  readonly #changes: ChangeSignal;
  #poll: NodeJS.Timeout | undefined;
  /** Version of the database when a subscription read from it last. */
  #readAt = -1;
  /** Of the database, when heads and last event were read: another connection's commit changes it. */
  #version = -1;
  #last: LogHead = { position: 0, hash: '' };
  /** The head file is behind what was committed here. */
  #headOwed = false;

  constructor(parts: SqliteLogParts) {
    const { db } = parts;
    this.#parts = parts;
    this.#db = db;
    this.logId = parts.logId;
    this.capabilities = { name: 'sqlite', survives: { process: true, power: parts.full }, shared: true };
    this.#table = new EventTable(db);
    this.#blobs = new BlobTable(db);
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
    this.#dataVersion = db.prepare('PRAGMA data_version');
    this.#dataVersion.setReturnArrays(true);
    this.#sequencer = new Sequencer((appends) => this.#appendGroup(appends));
    this.#changes = new ChangeSignal((waiting) => this.#pollFor(waiting));
  }

  async append(request: AppendRequest): Promise<Appended> {
    this.#checkWritable();
    return this.#sequencer.add(prepareAppend(request, this.#parts.clock()));
  }

  /** One transaction for all; each append is judged alone, and a refused one leaves the others as they are. */
  #appendGroup(appends: readonly PreparedAppend[]): (Appended | DreamfoldError)[] {
    return this.#transaction(() => appends.map((append) => this.#appendOne(append)));
  }

  #appendOne(append: PreparedAppend): Appended | DreamfoldError {
    const known = this.#table.streams.find(append.stream);
    const head = known === null ? EMPTY_HEAD : this.#headOf(known);
    const appendSize = (id: string): number => (known === null ? 0 : this.#appendSize(known, id));
    const result = fate(head, proposalOn(head, append), { appendSize });
    if (result === 'id_used') return this.#countedBefore(known!, append);
    if (typeof result === 'string') return refusalError(result, append, head);
    if (!isOnTop(head, append, (id) => (known === null ? null : this.#table.findAppend(known, id))))
      return refusalError('head_passed', append, head);
    const stored = stampAppend(append, head, this.#writer);
    const before = this.#last.position;
    this.#insert(stored, result.epoch);
    return answerAppend(stored, result.epoch, before);
  }

  #appendSize(streamId: number, appendId: string): number {
    if (INNER_LIKE.test(appendId) && this.#hasPlainIds(streamId)) return 0;
    return this.#table.findAppend(streamId, appendId)?.n ?? 0;
  }

  #hasPlainIds(streamId: number): boolean {
    if (this.#plainIds.has(streamId)) return true;
    if (this.#table.hasInnerLikeIds(streamId)) return false;
    this.#plainIds.add(streamId);
    return true;
  }

  #insert(stored: readonly StoredEvent[], epoch: number): void {
    const streamId = this.#table.streams.intern(stored[0]!.stream);
    let { position } = this.#last;
    for (const event of stored) {
      position += 1;
      this.#table.insert(position, streamId, event);
    }
    if (INNER_LIKE.test(stored[0]!.append.id)) this.#plainIds.delete(streamId);
    const { seq, hash } = stored.at(-1)!;
    this.#last = { position, hash };
    this.#heads.set(streamId, { seq, hash, epoch });
  }

  #countedBefore(streamId: number, append: PreparedAppend): Appended | DreamfoldError {
    const first = this.#table.findAppend(streamId, append.id);
    // An id like `a-1` may have been used by the second event of the append `a`.
    const stored = first === null ? [] : this.#table.readStored(streamId, first.seq, first.seq + first.n - 1);
    try {
      checkSameAppend(append, stored);
    } catch (error) {
      return error as DreamfoldError;
    }
    const events = this.#table.readStream(streamId, first!.seq, first!.seq + first!.n - 1);
    const last = events.at(-1)!;
    const head: Head = { seq: last.seq, hash: last.hash, epoch: this.#table.epochAt(streamId, last.seq) };
    return { head, position: last.position, events, duplicate: true };
  }

  /** Takes the write lock, runs, commits, and writes the head file. Whatever fails, nothing of it is left. */
  #transaction<T>(run: () => T): T {
    const before = this.#guard(() => {
      if (this.#headOwed) this.#writeHead();
      this.#begin.run();
      this.#refresh();
      return this.#last;
    });
    let result: T;
    try {
      result = run();
      this.#commit.run();
    } catch (error) {
      this.#rollBack();
      throw asStoreError(error, this.#parts.path);
    }
    if (this.#last !== before) {
      this.#headOwed = true;
      try {
        this.#writeHead();
      } catch {
        // What was committed counts, so this is no failure of it; the next transaction does not begin before the file is written.
      }
      this.#changes.notify();
    }
    return result;
  }

  #writeHead(): void {
    this.#parts.headFile.write(this.#last, this.#parts.full);
    this.#headOwed = false;
  }

  #rollBack(): void {
    // What is cached may come from the transaction that is undone.
    this.#version = -1;
    this.#table.forgetNames();
    // SQLite has rolled back by itself after some errors, a full disk among them.
    if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
  }

  #headOf(streamId: number): Head {
    const cached = this.#heads.get(streamId);
    if (cached !== undefined) return cached;
    if (this.#heads.size >= MAX_CACHED_HEADS) {
      this.#heads.clear();
      this.#plainIds.clear();
    }
    const head = this.#table.head(streamId);
    this.#heads.set(streamId, head);
    return head;
  }

  /** Forgets heads that another connection may have moved. @returns whether another connection has committed */
  #refresh(): boolean {
    const [version] = this.#dataVersion.get() as unknown as [number];
    if (version === this.#version) return false;
    this.#version = version;
    this.#heads.clear();
    this.#plainIds.clear();
    this.#last = this.#table.last();
    return true;
  }

  async head(stream: string): Promise<Head> {
    return this.#guard(() => {
      this.#refresh();
      const streamId = this.#table.streams.find(stream);
      return streamId === null ? EMPTY_HEAD : this.#headOf(streamId);
    });
  }

  read(stream: string, options: ReadOptions = {}): AsyncGenerator<readonly LogEvent[], void, undefined> {
    return this.#batches(stream, options, (streamId, from, to) => this.#table.readStream(streamId, from, to));
  }

  readStored(stream: string, options: ReadOptions = {}): AsyncGenerator<readonly StoredEvent[], void, undefined> {
    return this.#batches(stream, options, (streamId, from, to) => this.#table.readStored(streamId, from, to));
  }

  async *#batches<E extends { seq: number }>(
    stream: string,
    options: ReadOptions,
    readBatch: (streamId: number, from: number, to: number) => readonly E[],
  ): AsyncGenerator<readonly E[], void, undefined> {
    const range = checkRange(options);
    const streamId = this.#guard(() => this.#table.streams.find(stream));
    if (streamId === null) return;
    for (let { from } = range; from <= range.to;) {
      const next = from;
      const batch = this.#guard(() => readBatch(streamId, next, range.to));
      if (batch.length === 0) return;
      yield batch;
      from = batch.at(-1)!.seq + 1;
    }
  }

  async *streams(kind?: string): AsyncGenerator<readonly StreamInfo[], void, undefined> {
    const statement = this.#db.prepare('SELECT id, name FROM streams WHERE id > ? ORDER BY id LIMIT ?');
    for (let after = 0; ;) {
      const start = after;
      const rows = this.#guard(() => statement.all(start, BATCH_SIZE)) as { id: number; name: string }[];
      if (rows.length === 0) return;
      after = rows.at(-1)!.id;
      const wanted = rows.filter(({ name }) => kind === undefined || name.startsWith(`${kind}/`));
      if (wanted.length > 0) yield wanted.map(({ id, name }) => ({ stream: name, head: this.#guard(() => this.#table.head(id)) }));
    }
  }

  subscribe(options: SubscribeOptions): AsyncIterable<readonly LogEvent[]> {
    checkPosition(options.after);
    const { stream } = options;
    const nextAfter = (position: number): LogEvent[] => {
      if (stream === undefined) return this.#table.readAfter(position);
      const id = this.#table.streams.find(stream);
      return id === null ? [] : this.#table.readStream(id, this.#table.seqUpTo(id, position) + 1, Number.MAX_SAFE_INTEGER);
    };
    const readAfter = (position: number): LogEvent[] => {
      this.#readAt = this.#versionNow();
      return this.#guard(() => nextAfter(position));
    };
    return subscribeBy(readAfter, this.#changes, options);
  }

  #pollFor(waiting: Waiting): void {
    if (waiting === 'nobody') {
      clearInterval(this.#poll);
      this.#poll = undefined;
      return;
    }
    if (this.#poll === undefined) {
      // As of the read that found nothing: what was committed after it is news.
      let seen = this.#readAt;
      this.#poll = setInterval(() => {
        const version = this.#versionNow();
        if (version === seen) return;
        seen = version;
        this.#changes.notify();
      }, POLL_MS);
    }
    if (waiting === 'somebody') this.#poll.ref();
    else this.#poll.unref();
  }

  #versionNow(): number {
    return this.#guard(() => (this.#dataVersion.get() as unknown as [number])[0]);
  }

  async position(): Promise<number> {
    return this.#guard(() => {
      this.#refresh();
      return this.#last.position;
    });
  }

  async restore(events: readonly StoredEvent[]): Promise<{ added: number }> {
    this.#checkWritable();
    await this.#sequencer.idle();
    return this.#transaction(() => {
      const idOf = (stream: string): number => this.#table.streams.find(stream) ?? 0;
      const plan = restorePlan(events, {
        head: (stream) => (idOf(stream) === 0 ? EMPTY_HEAD : this.#headOf(idOf(stream))),
        appendSize: (stream, id) => this.#appendSize(idOf(stream), id),
        hashAt: (stream, seq) => this.#table.hashAt(idOf(stream), seq),
      });
      for (const { records, head } of plan) this.#insert(records, head.epoch);
      return { added: plan.reduce((sum, { records }) => sum + records.length, 0) };
    });
  }

  async erase(stream: string, seqs: readonly number[]): Promise<{ erased: number }> {
    checkErasable(stream);
    this.#checkWritable();
    await this.#sequencer.idle();
    const erased = this.#transaction(() => {
      const streamId = this.#table.streams.find(stream);
      return streamId === null ? 0 : seqs.filter((seq) => this.#table.erase(streamId, seq)).length;
    });
    // The write-ahead log still holds the pages as they were.
    if (erased > 0) this.#guard(() => this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)'));
    return { erased };
  }

  async putBlob(bytes: Uint8Array): Promise<{ sha256: string; size_bytes: number }> {
    this.#checkWritable();
    await this.#sequencer.idle();
    return this.#transaction(() => this.#blobs.put(bytes));
  }

  async getBlob(sha256: string): Promise<Uint8Array | null> {
    return this.#guard(() => this.#blobs.get(sha256));
  }

  async verify(onProgress?: (done: number, total: number) => void): Promise<VerifyReport> {
    await this.#sequencer.idle();
    this.#checkOpen();
    try {
      return await verifyDatabase(this.#parts.path, this.#parts.headFile, onProgress);
    } catch (error) {
      throw asStoreError(error, this.#parts.path);
    }
  }

  async close(): Promise<void> {
    if (this.#changes.closed) return;
    await this.#sequencer.idle();
    this.#changes.close();
    clearInterval(this.#poll);
    this.#parts.headFile.close();
    this.#guard(() => this.#db.close());
  }

  #guard<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      if (!this.#db.isOpen) this.#checkOpen();
      throw asStoreError(error, this.#parts.path);
    }
  }

  #checkWritable(): void {
    this.#checkOpen();
    if (!this.#parts.readOnly) return;
    throw new DreamfoldError('store_read_only', `${this.#parts.path} was opened read-only`, {
      path: this.#parts.path,
      remedy: 'Open the log without readOnly.',
    });
  }

  #checkOpen(): void {
    if (!this.#changes.closed) return;
    throw new DreamfoldError('store_unavailable', 'The log is closed', { path: this.#parts.path, remedy: 'Open it again.' });
  }
}
