import { blobsNamedBy, DreamfoldError, type LogEvent, type StoredEvent } from '@dreamfold/events';
import {
  answerAppend,
  checkSameAppend,
  isOnTop,
  newWriterName,
  prepareAppend,
  proposalOn,
  refusalError,
  sha256,
  sha256Hex,
  stampAppend,
  type PreparedAppend,
} from './rule/append.ts';
import { checkCursor, type Cursor } from './cursor.ts';
import { eraseEvents, erasedBy, isErasable, seqOfEvent } from './rule/erasure.ts';
import { genesisRequest, newLogId } from './rule/genesis.ts';
import { toLogEvent } from './log-event.ts';
import { verifyWithMissing } from './rule/missing-payloads.ts';
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
  VerifyReport,
} from './port.ts';
import { checkPosition, checkRange } from './read-range.ts';
import { restorePlan } from './rule/restore.ts';
import { EMPTY_HEAD, fate } from './rule/rule.ts';
import { BATCH_SIZE, ChangeSignal, readBetween, subscribeBy, waitUntil } from './subscription.ts';
import { StreamVerifier } from './rule/verify-stream.ts';
import { noticeOf, Watchers } from './watchers.ts';

/** Where an event stands in the log, and in its stream. */
class Row {
  readonly position: number;
  readonly #stream: Stream;
  readonly #seq: number;

  constructor(position: number, stream: Stream, seq: number) {
    this.position = position;
    this.#stream = stream;
    this.#seq = seq;
  }

  /** Sealed when somebody looks at it. */
  get stored(): StoredEvent {
    return this.#stream.storedAt(this.#seq);
  }
}

/**
 * A stream and its chain of hashes. Hashing is a third of what an append costs here, and most of what is appended to a log in memory is
 * never read: appends are sealed, in their order, when one of them is looked at.
 */
class Stream {
  seq = 0;
  epoch = 0;
  readonly rows: Row[] = [];
  /** Where an append begins: its first seq and its size. */
  readonly appends = new Map<string, { seq: number; n: number }>();
  readonly #writer: string;
  readonly #sealed: StoredEvent[] = [];
  #unsealed: PreparedAppend[] = [];

  constructor(writer: string) {
    this.#writer = writer;
  }

  /** The head as it is now; its hash is made when it is looked at. */
  get head(): Head {
    const { seq, epoch } = this;
    if (seq === 0) return EMPTY_HEAD;
    const hash = (): string => this.storedAt(seq).hash;
    return {
      seq,
      epoch,
      get hash() {
        return hash();
      },
    };
  }

  /** @param position of the newest event of the log */
  add(append: PreparedAppend, epoch: number, position: number): Row[] {
    this.#unsealed.push(append);
    return this.#addRows({ id: append.id, n: append.events.length }, epoch, position);
  }

  /** The same for events that were sealed elsewhere, all of one append. */
  addSealed(records: readonly StoredEvent[], epoch: number, position: number): Row[] {
    this.#seal();
    for (const record of records) this.#sealed.push({ ...record });
    return this.#addRows({ id: records[0]!.append.id, n: records.length }, epoch, position);
  }

  #addRows({ id, n }: { id: string; n: number }, epoch: number, position: number): Row[] {
    const rows = Array.from({ length: n }, (_, i) => new Row(position + 1 + i, this, this.seq + 1 + i));
    this.rows.push(...rows);
    this.appends.set(id, { seq: this.seq + 1, n });
    this.seq += n;
    this.epoch = epoch;
    return rows;
  }

  storedAt(seq: number): StoredEvent {
    if (seq > this.#sealed.length) this.#seal();
    return this.#sealed[seq - 1]!;
  }

  /** @returns the event as it was; null when it is not there, or has no payload that can be erased */
  erase(id: string): StoredEvent | null {
    const seq = seqOfEvent(id, (appendId) => this.appends.get(appendId));
    const stored = seq === null ? null : this.storedAt(seq);
    if (stored === null || stored.data === null || !isErasable(stored)) return null;
    const before = { ...stored };
    stored.data = null;
    return before;
  }

  #seal(): void {
    for (const append of this.#unsealed) {
      const hash = this.#sealed.at(-1)?.hash ?? EMPTY_HEAD.hash;
      this.#sealed.push(...stampAppend(append, { seq: this.#sealed.length, hash, epoch: 0 }, this.#writer));
    }
    this.#unsealed = [];
  }
}

/** An event log that lives as long as the process: for tests, and for runs that need no history. */
export function openMemoryLog(options: { clock?: () => number } = {}): Log {
  return new MemoryLog(options.clock ?? Date.now);
}

class MemoryLog implements Log {
  readonly capabilities: LogCapabilities = { name: 'memory', survives: { process: false, power: false }, shared: false, partitions: 1 };
  readonly logId = newLogId();
  readonly #clock: () => number;
  readonly #writer = newWriterName();
  readonly #streams = new Map<string, Stream>();
  readonly #rows: Row[] = [];
  /** Blobs by their hash. */
  readonly #kept = new Map<string, Uint8Array>();
  /** Streams, once for each erasure. */
  readonly #erased: string[] = [];
  readonly #changes = new ChangeSignal();
  readonly #watchers = new Watchers();

  constructor(clock: () => number) {
    this.#clock = clock;
    this.#append(genesisRequest(this.logId, { partitions: 1, erasure: true }));
  }

  async append(request: AppendRequest): Promise<Appended> {
    return this.#append(request);
  }

  #append(request: AppendRequest): Appended {
    this.#checkOpen();
    const append = prepareAppend(request, this.#clock());
    const stream = this.#streams.get(append.stream) ?? new Stream(this.#writer);
    // One process writes, and knows the chain: that an append is on top of it is a matter of seqs.
    const head: Head = { seq: stream.seq, hash: '', epoch: stream.epoch };
    const result = fate(head, proposalOn(head, append), { appendSize: (id) => stream.appends.get(id)?.n ?? 0 });
    if (result === 'id_used') return this.#countedBefore(append, stream);
    if (typeof result === 'string') throw refusalError(result, append, head);
    if (!isOnTop(head, append, (id) => stream.appends.get(id))) throw refusalError('head_passed', append, head);
    this.#streams.set(append.stream, stream);
    const rows = stream.add(append, result.epoch, this.#rows.length);
    this.#rows.push(...rows);
    for (const { type, data } of append.events) this.#eraseBy({ stream: append.stream, type, data });
    this.#changes.notify();
    const answer = answerOf(rows, stream.head);
    this.#watchers.tell([noticeOf(append.stream, answer)]);
    return answer;
  }

  #countedBefore(append: PreparedAppend, { appends, rows }: Stream): Appended {
    const first = appends.get(append.id);
    const counted = first === undefined ? [] : rows.slice(first.seq - 1, first.seq - 1 + first.n);
    const stored = counted.map((row) => row.stored);
    checkSameAppend(append, stored);
    return { ...answerAppend(stored, epochAt(rows, stored.at(-1)!.seq), (i) => counted[i]!.position), duplicate: true };
  }

  async head(stream: string): Promise<Head> {
    this.#checkOpen();
    return this.#streams.get(stream)?.head ?? EMPTY_HEAD;
  }

  async *read(stream: string, options?: ReadOptions): AsyncGenerator<readonly LogEvent[], void, undefined> {
    for (const rows of this.#batches(stream, options)) yield rows.map((row) => toLogEvent(row.stored, row.position));
  }

  async *#readStored(stream: string, options?: ReadOptions): AsyncGenerator<readonly StoredEvent[], void, undefined> {
    for (const rows of this.#batches(stream, options)) yield rows.map((row) => ({ ...row.stored }));
  }

  *#batches(name: string, options: ReadOptions = {}): Generator<readonly Row[], void, undefined> {
    const { from, to } = checkRange(options);
    this.#checkOpen();
    const rows = this.#streams.get(name)?.rows ?? [];
    for (let start = from - 1; start < Math.min(to, rows.length);) {
      let end = Math.min(start + BATCH_SIZE, to, rows.length);
      // A batch ends where an append does, so that it can be restored elsewhere.
      while (end < Math.min(to, rows.length) && rows[end]!.stored.append.i > 0) end += 1;
      yield rows.slice(start, end);
      start = end;
    }
  }

  async *streams(kind?: string): AsyncGenerator<readonly StreamInfo[], void, undefined> {
    this.#checkOpen();
    const all = [...this.#streams].filter(([name]) => kind === undefined || name.startsWith(`${kind}/`));
    for (let i = 0; i < all.length; i += BATCH_SIZE) {
      yield all.slice(i, i + BATCH_SIZE).map(([stream, { head }]) => ({ stream, head }));
    }
  }

  async findStreams(prefix: string, limit: number): Promise<readonly string[]> {
    this.#checkOpen();
    const found = [...this.#streams.keys()].filter((name) => name.startsWith(prefix));
    return found.sort().slice(0, limit);
  }

  subscribe(options: SubscribeOptions): AsyncIterable<readonly LogEvent[]> {
    const { stream } = options;
    checkCursor(options.after, 1);
    const source = (): readonly Row[] => (stream === undefined ? this.#rows : (this.#streams.get(stream)?.rows ?? []));
    return subscribeBy((position) => eventsAfter(source(), position), this.#changes, options);
  }

  watch(watcher: LogWatcher): () => void {
    this.#checkOpen();
    this.#watchers.add(watcher);
    return () => this.#watchers.remove(watcher);
  }

  async *readRange(after: Cursor, through: Cursor): AsyncGenerator<readonly LogEvent[], void, undefined> {
    checkCursor(after, 1);
    checkCursor(through, 1, 'through');
    this.#checkOpen();
    yield* readBetween((position) => eventsAfter(this.#rows, position), after[0]!, through[0]!);
  }

  async cursor(): Promise<Cursor> {
    this.#checkOpen();
    return [this.#rows.length];
  }

  async waitFor(position: number, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    checkPosition(position);
    const isThere = (): boolean => {
      this.#checkOpen();
      return this.#rows.length >= position;
    };
    return waitUntil(isThere, this.#changes, signal);
  }

  readonly archive: Archive = {
    readStored: (stream, options) => this.#readStored(stream, options),
    restore: async (events) => {
      this.#checkOpen();
      const plan = restorePlan(events, {
        head: (stream) => this.#streams.get(stream)?.head ?? EMPTY_HEAD,
        appendSize: (stream, id) => this.#streams.get(stream)?.appends.get(id)?.n ?? 0,
        hashAt: (stream, seq) => this.#streams.get(stream)?.rows[seq - 1]?.stored.hash ?? null,
      });
      for (const { records, head } of plan) {
        const name = records[0]!.stream;
        const stream = this.#streams.get(name) ?? new Stream(this.#writer);
        this.#streams.set(name, stream);
        const rows = stream.addSealed(records, head.epoch, this.#rows.length);
        this.#rows.push(...rows);
        for (const record of records) this.#eraseBy(record);
        this.#watchers.tell([noticeOf(name, answerOf(rows, stream.head))]);
      }
      if (plan.length > 0) this.#changes.notify();
      return { added: plan.reduce((sum, { records }) => sum + records.length, 0) };
    },
    verify: (onProgress) => verifyWithMissing(this, async (skipped) => this.#verify(skipped, onProgress)),
  };

  #verify(skipped: ReadonlySet<string>, onProgress?: (done: number, total: number) => void): VerifyReport {
    this.#checkOpen();
    const verifier = new StreamVerifier(sha256, {
      findAppend: (stream, id, before) => {
        const append = this.#streams.get(stream)?.appends.get(id);
        return append !== undefined && append.seq < before ? append : null;
      },
      hasBlob: (digest) => this.#kept.has(digest),
      skipped,
    });
    for (const [name, { rows }] of this.#streams) {
      verifier.begin(name);
      for (const { stored } of rows) verifier.add(stored);
      verifier.end();
      onProgress?.(verifier.events, this.#rows.length);
    }
    for (const [digest, bytes] of this.#kept) {
      if (sha256Hex(bytes) !== digest) verifier.problem({ stream: null, seq: null, problem: `blob ${digest} has other bytes` });
    }
    return verifier.report({ blobs: this.#kept.size });
  }

  readonly erasure: Erasure = {
    erase: async (stream, request) => {
      this.#checkOpen();
      return eraseEvents(this, stream, request);
    },
    since: async (mark) => {
      const seen = Number(mark ?? 0);
      const isOwn = Number.isInteger(seen) && seen >= 0 && seen <= this.#erased.length;
      return { mark: String(this.#erased.length), streams: isOwn ? [...new Set(this.#erased.slice(seen))] : null };
    },
  };

  /** Takes out what an event that counts erases, and the blobs that nothing names any more. */
  #eraseBy(event: Pick<StoredEvent, 'stream' | 'type' | 'data'>): void {
    for (const id of erasedBy(event)) {
      const before = this.#streams.get(event.stream)!.erase(id);
      if (before === null) continue;
      this.#erased.push(event.stream);
      for (const digest of blobsNamedBy(before)) {
        if (!this.#rows.some(({ stored }) => stored.data?.includes(digest) === true)) this.#kept.delete(digest);
      }
    }
  }

  readonly blobs: Blobs = {
    put: async (bytes) => {
      this.#checkOpen();
      const digest = sha256Hex(bytes);
      if (!this.#kept.has(digest)) this.#kept.set(digest, bytes.slice());
      return { sha256: digest, size_bytes: bytes.byteLength };
    },
    get: async (digest) => {
      this.#checkOpen();
      return this.#kept.get(digest)?.slice() ?? null;
    },
  };

  async close(): Promise<void> {
    this.#changes.close();
  }

  #checkOpen(): void {
    if (!this.#changes.closed) return;
    throw new DreamfoldError('store_unavailable', 'The log is closed', { remedy: 'Open it again.' });
  }
}

/** The answer to an append that counted. */
function answerOf(rows: readonly Row[], head: Head): Appended {
  let events: readonly LogEvent[] | undefined;
  return {
    head,
    position: rows.at(-1)!.position,
    get events() {
      return (events ??= rows.map(({ stored, position }) => toLogEvent(stored, position)));
    },
    duplicate: false,
  };
}

/** The epoch of the newest claim up to a seq. */
function epochAt(rows: readonly Row[], seq: number): number {
  return rows.findLast(({ stored }) => stored.seq <= seq && stored.class === 'claim')?.stored.epoch ?? 0;
}

function eventsAfter(rows: readonly Row[], position: number): LogEvent[] {
  const start = firstAfter(rows, position);
  return rows.slice(start, start + BATCH_SIZE).map((row) => toLogEvent(row.stored, row.position));
}

/** Index of the first row after a position, by bisection. */
function firstAfter(rows: readonly Row[], position: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (rows[middle]!.position <= position) low = middle + 1;
    else high = middle;
  }
  return low;
}
