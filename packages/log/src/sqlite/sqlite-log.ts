import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { DreamfoldError, type LogEvent } from '@dreamfold/events';
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
} from '../rule/append.ts';
import { checkCursor, type Cursor } from '../cursor.ts';
import { eraseEvents } from '../rule/erasure.ts';
import { verifyWithMissing } from '../rule/missing-payloads.ts';
import type {
  Appended,
  AppendRequest,
  Archive,
  Blobs,
  Erasure,
  Head,
  Log,
  LogCapabilities,
  LogWatcher,
  ReadOptions,
  StreamInfo,
  SubscribeOptions,
} from '../port.ts';
import { checkPosition, checkRange } from '../read-range.ts';
import { restorePlan } from '../rule/restore.ts';
import { fate } from '../rule/rule.ts';
import { ChangeSignal, readBetween, subscribeBy, waitUntil, type Waiting } from '../subscription.ts';
import { BlobTable } from './tables/blob-table.ts';
import { CountedEvents } from './tables/counted-events.ts';
import { DatabaseWriter, closedError } from './database/database-writer.ts';
import { EventTable } from './tables/event-table.ts';
import { listStreams } from './tables/list-streams.ts';
import type { LogDatabase } from './database/log-database.ts';
import { Sequencer } from './sequencer.ts';
import { asStoreError } from './database/sqlite-error.ts';
import { verifyDatabase } from './database/verify-database.ts';
import { WatchedTail } from './watched-tail.ts';

/** How often whoever waits for events looks for what other processes have appended. */
const POLL_MS = 100;

export interface SqliteLogParts extends LogDatabase {
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
  readonly directory: string;
  readonly #parts: SqliteLogParts;
  readonly #db: DatabaseSync;
  readonly #table: EventTable;
  readonly #events: CountedEvents;
  readonly #database: DatabaseWriter;
  readonly #blobTable: BlobTable;
  readonly #writer = newWriterName();
  readonly #sequencer: Sequencer<PreparedAppend, Appended>;
  readonly #changes: ChangeSignal;
  readonly #tail: WatchedTail;
  #poll: NodeJS.Timeout | undefined;
  #waiting: Waiting = 'nobody';
  /** Version of the database when a subscription or a watcher read from it last. */
  #readAt = -1;

  constructor(parts: SqliteLogParts) {
    const { db } = parts;
    this.#parts = parts;
    this.#db = db;
    this.logId = parts.logId;
    this.directory = dirname(parts.path);
    this.capabilities = { name: 'sqlite', survives: { process: true, power: parts.full }, shared: true, partitions: 1 };
    this.#table = new EventTable(db);
    this.#blobTable = new BlobTable(db);
    this.#events = new CountedEvents(this.#table, { blobs: this.#blobTable });
    this.#database = new DatabaseWriter(parts, this.#events, parts.full);
    this.#sequencer = new Sequencer((appends, isOver) => this.#appendGroup(appends, isOver));
    this.#changes = new ChangeSignal((waiting) => {
      this.#waiting = waiting;
      this.#startOrStopPolling();
    });
    this.#tail = new WatchedTail({
      last: () => this.#count(),
      readAfter: (position) => this.#guard(() => this.#table.readAfter(position)),
    });
  }

  async append(request: AppendRequest): Promise<Appended> {
    this.#checkWritable();
    return this.#sequencer.add(prepareAppend(request, this.#parts.clock()));
  }

  /** One transaction for as many as there is time for; each append is judged alone, and a refused one leaves the others as they are. */
  #appendGroup(appends: readonly PreparedAppend[], isOver: () => boolean): (Appended | DreamfoldError)[] {
    const results = this.#transaction(() => {
      const done: (Appended | DreamfoldError)[] = [];
      for (const append of appends) {
        done.push(this.#appendOne(append));
        if (isOver()) break;
      }
      return done;
    });
    if (this.#tail.isWatched) {
      this.#tail.tellOwn(
        results.flatMap((result, i) => {
          if (result instanceof DreamfoldError || result.duplicate) return [];
          return [{ stream: appends[i]!.stream, size: appends[i]!.events.length, appended: result }];
        }),
      );
    }
    return results;
  }

  #appendOne(append: PreparedAppend): Appended | DreamfoldError {
    const { stream } = append;
    const head = this.#events.head(stream);
    const result = fate(head, proposalOn(head, append), { appendSize: (id) => this.#events.appendSize(stream, id) });
    if (result === 'id_used') return this.#countedBefore(append);
    if (typeof result === 'string') return refusalError(result, append, head);
    if (!isOnTop(head, append, (id) => this.#events.findAppend(stream, id))) return refusalError('head_passed', append, head);
    const stored = refusedOr(() => stampAppend(append, head, this.#writer));
    if (stored instanceof DreamfoldError) return stored;
    const before = this.#events.last.position;
    this.#events.add(stored, result.epoch);
    return answerAppend(stored, result.epoch, (i) => before + 1 + i);
  }

  #countedBefore(append: PreparedAppend): Appended | DreamfoldError {
    const streamId = this.#table.streams.find(append.stream)!;
    const first = this.#table.findAppend(streamId, append.id);
    // An id like `a-1` may have been used by the second event of the append `a`.
    const stored = first === null ? [] : this.#table.readStored(streamId, first.seq, first.seq + first.n - 1);
    const differs = refusedOr(() => checkSameAppend(append, stored));
    if (differs instanceof DreamfoldError) return differs;
    const events = this.#table.readStream(streamId, first!.seq, first!.seq + first!.n - 1);
    const last = events.at(-1)!;
    const head: Head = { seq: last.seq, hash: last.hash, epoch: this.#table.epochAt(streamId, last.seq) };
    return { head, position: last.position, events, duplicate: true };
  }

  #transaction<T>(work: () => T): T {
    const { result, added } = this.#database.run(work);
    if (added) this.#changes.notify();
    return result;
  }

  async head(stream: string): Promise<Head> {
    return this.#guard(() => {
      this.#database.refresh();
      return this.#events.head(stream);
    });
  }

  read(stream: string, options: ReadOptions = {}): AsyncGenerator<readonly LogEvent[], void, undefined> {
    return this.#batches(stream, options, (streamId, from, to) => this.#table.readStream(streamId, from, to));
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

  streams(kind?: string): AsyncGenerator<readonly StreamInfo[], void, undefined> {
    return listStreams(this.#table, kind, (run) => this.#guard(run));
  }

  async findStreams(prefix: string, limit: number): Promise<readonly string[]> {
    return this.#guard(() => this.#table.streams.beginningWith(prefix, limit));
  }

  subscribe(options: SubscribeOptions): AsyncIterable<readonly LogEvent[]> {
    checkCursor(options.after, 1);
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

  async *readRange(after: Cursor, through: Cursor): AsyncGenerator<readonly LogEvent[], void, undefined> {
    checkCursor(after, 1);
    checkCursor(through, 1, 'through');
    const readAfter = (position: number): LogEvent[] => this.#guard(() => this.#table.readAfter(position));
    yield* readBetween(readAfter, after[0]!, through[0]!);
  }

  watch(watcher: LogWatcher): () => void {
    this.#checkOpen();
    if (!this.#tail.isWatched) this.#readAt = this.#versionNow();
    this.#tail.add(watcher);
    this.#startOrStopPolling();
    return () => {
      this.#tail.remove(watcher);
      this.#startOrStopPolling();
    };
  }

  /** Looks for other connections' commits while anybody waits for them; only a foreground subscription keeps the process alive for it. */
  #startOrStopPolling(): void {
    if (this.#waiting === 'nobody' && !this.#tail.isWatched) {
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
        this.#tail.tellNew();
      }, POLL_MS);
    }
    if (this.#waiting === 'somebody') this.#poll.ref();
    else this.#poll.unref();
  }

  #versionNow(): number {
    return this.#guard(() => this.#database.version());
  }

  async cursor(): Promise<Cursor> {
    return [this.#count()];
  }

  async waitFor(position: number, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    checkPosition(position);
    return waitUntil(() => this.#count() >= position, this.#changes, signal);
  }

  #count(): number {
    return this.#guard(() => {
      this.#database.refresh();
      return this.#events.last.position;
    });
  }

  readonly archive: Archive = {
    readStored: (stream, options = {}) =>
      this.#batches(stream, options, (streamId, from, to) => this.#table.readStored(streamId, from, to)),
    restore: async (events) => {
      this.#checkWritable();
      await this.#sequencer.idle();
      const added = this.#transaction(() => {
        const plan = restorePlan(events, {
          head: (stream) => this.#events.head(stream),
          appendSize: (stream, id) => this.#events.appendSize(stream, id),
          hashAt: (stream, seq) => this.#table.hashAt(this.#table.streams.find(stream) ?? 0, seq),
        });
        for (const { records, head } of plan) this.#events.add(records, head.epoch);
        return { added: plan.reduce((sum, { records }) => sum + records.length, 0) };
      });
      this.#tail.tellNew();
      return added;
    },
    verify: async (onProgress) => {
      await this.#sequencer.idle();
      this.#checkOpen();
      try {
        return await verifyWithMissing(this, (skipped) => verifyDatabase(this.#parts, { skipped, onProgress }));
      } catch (error) {
        throw asStoreError(error, this.#parts.path);
      }
    },
  };

  readonly erasure: Erasure = {
    erase: async (stream, request) => {
      this.#checkWritable();
      return eraseEvents(this, stream, request);
    },
    since: async (mark) => {
      this.#checkOpen();
      const erased = this.#database.erasedSince(Number(mark ?? 0));
      return { mark: String((erased ?? this.#database.erasedSince(0)!).mark), streams: erased?.streams ?? null };
    },
  };

  readonly blobs: Blobs = {
    put: async (bytes) => {
      this.#checkWritable();
      await this.#sequencer.idle();
      return this.#transaction(() => this.#blobTable.put(bytes));
    },
    get: async (sha256) => this.#guard(() => this.#blobTable.get(sha256)),
  };

  async close(): Promise<void> {
    if (this.#changes.closed) return;
    await this.#sequencer.idle();
    this.#changes.close();
    clearInterval(this.#poll);
    this.#parts.headFile.close();
    this.#guard(() => this.#db.close());
  }

  #guard<T>(run: () => T): T {
    return this.#database.guard(run);
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
    if (this.#changes.closed) throw closedError(this.#parts.path);
  }
}

/** What is wrong with one append is its answer; any other fault is one of the whole group. */
function refusedOr<T>(run: () => T): T | DreamfoldError {
  try {
    return run();
  } catch (error) {
    if (error instanceof DreamfoldError) return error;
    throw error;
  }
}
