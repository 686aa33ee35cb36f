import { DreamfoldError, type LogEvent, type StoredEvent } from '@dreamfold/events';
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
} from './append.ts';
import { checkCursor, type Cursor } from './cursor.ts';
import { checkErasable, genesisRequest, newLogId } from './genesis.ts';
import { toLogEvent } from './log-event.ts';
import { withMissing } from './missing-payloads.ts';
import type {
  Appended,
  Erasures,
  AppendRequest,
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
import { restorePlan } from './restore.ts';
import { EMPTY_HEAD, fate } from './rule.ts';
import { BATCH_SIZE, ChangeSignal, readBetween, subscribeBy, waitUntil } from './subscription.ts';
import { StreamVerifier } from './verify-stream.ts';
import { noticeOf, Watchers } from './watchers.ts';

interface Row {
  stored: StoredEvent;
  position: number;
}

interface Stream {
  head: Head;
  rows: Row[];
  /** Where an append begins: its first seq and its size. */
  appends: Map<string, { seq: number; n: number }>;
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
  readonly #blobs = new Map<string, Uint8Array>();
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
    const stream = this.#streams.get(append.stream) ?? { head: EMPTY_HEAD, rows: [], appends: new Map() };
    const result = fate(stream.head, proposalOn(stream.head, append), { appendSize: (id) => stream.appends.get(id)?.n ?? 0 });
    if (result === 'id_used') {
      const first = stream.appends.get(append.id);
      const rows = first === undefined ? [] : stream.rows.slice(first.seq - 1, first.seq - 1 + first.n);
      checkSameAppend(
        append,
        rows.map((row) => row.stored),
      );
      const answer = answerAppend(
        rows.map((row) => row.stored),
        epochAt(stream.rows, rows.at(-1)!.stored.seq),
        (i) => rows[i]!.position,
      );
      return { ...answer, duplicate: true };
    }
    if (typeof result === 'string') throw refusalError(result, append, stream.head);
    if (!isOnTop(stream.head, append, (id) => stream.appends.get(id))) throw refusalError('head_passed', append, stream.head);
    const stored = stampAppend(append, stream.head, this.#writer);
    const rows = this.#add(stream, stored, result.epoch);
    this.#changes.notify();
    const answer = answerAppend(stored, result.epoch, (i) => rows[i]!.position);
    this.#watchers.tell([noticeOf(append.stream, answer)]);
    return answer;
  }

  #add(stream: Stream, stored: readonly StoredEvent[], epoch: number): Row[] {
    const first = stored[0]!;
    const last = stored.at(-1)!;
    const rows = stored.map((event, i) => ({ stored: event, position: this.#rows.length + 1 + i }));
    this.#rows.push(...rows);
    stream.rows.push(...rows);
    stream.appends.set(first.append.id, { seq: first.seq, n: stored.length });
    stream.head = { seq: last.seq, hash: last.hash, epoch };
    this.#streams.set(first.stream, stream);
    return rows;
  }

  async head(stream: string): Promise<Head> {
    this.#checkOpen();
    return this.#streams.get(stream)?.head ?? EMPTY_HEAD;
  }

  async *read(stream: string, options?: ReadOptions): AsyncGenerator<readonly LogEvent[], void, undefined> {
    for (const rows of this.#batches(stream, options)) yield rows.map((row) => toLogEvent(row.stored, row.position));
  }

  async *readStored(stream: string, options?: ReadOptions): AsyncGenerator<readonly StoredEvent[], void, undefined> {
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

  async restore(events: readonly StoredEvent[]): Promise<{ added: number }> {
    this.#checkOpen();
    const plan = restorePlan(events, {
      head: (stream) => this.#streams.get(stream)?.head ?? EMPTY_HEAD,
      appendSize: (stream, id) => this.#streams.get(stream)?.appends.get(id)?.n ?? 0,
      hashAt: (stream, seq) => this.#streams.get(stream)?.rows[seq - 1]?.stored.hash ?? null,
    });
    for (const { records, head } of plan) {
      const stream = this.#streams.get(records[0]!.stream) ?? { head: EMPTY_HEAD, rows: [], appends: new Map() };
      const stored = records.map((record) => ({ ...record }));
      const rows = this.#add(stream, stored, head.epoch);
      const restored = answerAppend(stored, head.epoch, (i) => rows[i]!.position);
      this.#watchers.tell([noticeOf(stored[0]!.stream, restored)]);
    }
    if (plan.length > 0) this.#changes.notify();
    return { added: plan.reduce((sum, { records }) => sum + records.length, 0) };
  }

  async erase(stream: string, seqs: readonly number[]): Promise<{ erased: number }> {
    checkErasable(stream);
    this.#checkOpen();
    let erased = 0;
    for (const seq of seqs) {
      const row = this.#streams.get(stream)?.rows[seq - 1];
      if (row === undefined || row.stored.data === null) continue;
      row.stored.data = null;
      erased += 1;
    }
    if (erased > 0) this.#erased.push(stream);
    return { erased };
  }

  async erasures(since: string | null): Promise<Erasures> {
    const seen = Number(since ?? 0);
    const isOwn = Number.isInteger(seen) && seen >= 0 && seen <= this.#erased.length;
    return { mark: String(this.#erased.length), streams: isOwn ? [...new Set(this.#erased.slice(seen))] : null };
  }

  async putBlob(bytes: Uint8Array): Promise<{ sha256: string; size_bytes: number }> {
    this.#checkOpen();
    const digest = sha256Hex(bytes);
    if (!this.#blobs.has(digest)) this.#blobs.set(digest, bytes.slice());
    return { sha256: digest, size_bytes: bytes.byteLength };
  }

  async getBlob(digest: string): Promise<Uint8Array | null> {
    this.#checkOpen();
    return this.#blobs.get(digest)?.slice() ?? null;
  }

  async verify(onProgress?: (done: number, total: number) => void): Promise<VerifyReport> {
    this.#checkOpen();
    const verifier = new StreamVerifier(sha256, (stream, id, before) => {
      const append = this.#streams.get(stream)?.appends.get(id);
      return append !== undefined && append.seq < before ? append.n : 0;
    });
    for (const [name, { rows }] of this.#streams) {
      verifier.begin(name);
      for (const { stored } of rows) verifier.add(stored);
      verifier.end();
      onProgress?.(verifier.events, this.#rows.length);
    }
    for (const [digest, bytes] of this.#blobs) {
      if (sha256Hex(bytes) !== digest) verifier.problem({ stream: null, seq: null, problem: `blob ${digest} has other bytes` });
    }
    return withMissing(verifier.report({ blobs: this.#blobs.size }), this);
  }

  async close(): Promise<void> {
    this.#changes.close();
  }

  #checkOpen(): void {
    if (!this.#changes.closed) return;
    throw new DreamfoldError('store_unavailable', 'The log is closed', { remedy: 'Open it again.' });
  }
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
