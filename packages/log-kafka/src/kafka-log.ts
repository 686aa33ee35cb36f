import { dirname } from 'node:path';
import { DreamfoldError, type LogEvent, type StoredEvent } from '@dreamfold/events';
import {
  EMPTY_HEAD,
  placeOf,
  positionOf,
  type Appended,
  type AppendRequest,
  type Archive,
  type Blobs,
  type Cursor,
  type Erasure,
  type Head,
  type Log,
  type LogCapabilities,
  type LogWatcher,
  type Partitions,
  type ReadOptions,
  type StreamInfo,
  type SubscribeOptions,
  type VerifyReport,
} from '@dreamfold/log';
import {
  ChangeSignal,
  checkCursor,
  checkPosition,
  checkRange,
  checkSameAppend,
  eraseEvents,
  prepareAppend,
  readBetween,
  restorePlan,
  toLogEvent,
  waitUntil,
  watchBySubscribing,
  verifyWithMissing,
  type PartitionReplica,
  type PreparedAppend,
  type SetAside,
} from '@dreamfold/log/backend';
import type { BlobTopic } from './topics/blob-topic.ts';
import { formerReplicas } from './salvage/former-replicas.ts';
import { partitionOf } from './partition/partition-of.ts';
import type { Counted, PartitionWriter } from './partition/partition-writer.ts';

/** How long `close` waits for verdicts while the brokers answer. */
const DRAIN_MS = 10_000;

/** One partition as this node has it. */
export interface NodePartition {
  replica: PartitionReplica;
  writer: Pick<PartitionWriter, 'append' | 'send' | 'drain' | 'stop'>;
}

export interface KafkaLogParts {
  logId: string;
  /** Of the replica. */
  directory: string;
  capabilities: LogCapabilities;
  partitions: readonly NodePartition[];
  changes: ChangeSignal;
  /** Destroys the keys that are due; null for a log that does not seal payloads. */
  settleKeys: (() => Promise<void>) | null;
  blobs: Pick<BlobTopic, 'put' | 'get' | 'holds' | 'catchUp' | 'count'>;
  clock: () => number;
  join: Partitions['join'];
  /** Names the replica's place to other nodes. Only who works on the log asks for it. */
  node: () => string;
  readOnly: boolean;
  /** Stops reading, leaves the topics, closes files. */
  release: () => Promise<void>;
}

/**
 * A log whose truth is a Kafka topic. Reads are answered by the local replica; an append is produced, read back, and
 * acknowledged when it counts. What another node has appended is here a moment later: `waitFor` its position.
 */
export class KafkaLog implements Log {
  readonly capabilities: LogCapabilities;
  readonly logId: string;
  readonly directory: string;
  readonly partitions: Partitions;
  readonly #p: KafkaLogParts;
  #failure: DreamfoldError | null = null;
  #closing: Promise<void> | null = null;

  constructor(parts: KafkaLogParts) {
    this.#p = parts;
    this.logId = parts.logId;
    this.directory = parts.directory;
    this.capabilities = parts.capabilities;
    let node: string | undefined;
    this.partitions = {
      get node() {
        return (node ??= parts.node());
      },
      join: async (work, onAssigned, signal) => {
        this.#checkOpen();
        return parts.join(work, onAssigned, signal);
      },
    };
  }

  /** Why the log can't go on, null while it can. */
  get failure(): DreamfoldError | null {
    return this.#failure;
  }

  /** Stops for good: the topic is not the one that was read, or the replica can't be written. */
  fail(error: DreamfoldError): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    for (const { writer } of this.#p.partitions) writer.stop(error);
    this.#p.changes.close();
  }

  async append(request: AppendRequest): Promise<Appended> {
    this.#checkWritable();
    const append = prepareAppend(request, this.#p.clock());
    const index = this.#indexOf(append.stream);
    const counted = await this.#p.partitions[index]!.writer.append(append);
    return counted === 'id_used' ? this.#countedBefore(index, append) : this.#answer(index, counted);
  }

  #answer(partition: number, { stored, head, ordinal, duplicate }: Counted): Appended {
    const first = ordinal - stored.length + 1;
    const place = (i: number): number => positionOf(partition, first + i, this.#count);
    let events: readonly LogEvent[] | undefined;
    return {
      head,
      position: positionOf(partition, ordinal, this.#count),
      get events() {
        return (events ??= stored.map((event, i) => toLogEvent(event, place(i))));
      },
      duplicate,
    };
  }

  /** @throws DreamfoldError idempotency_conflict */
  #countedBefore(index: number, append: PreparedAppend): Appended {
    const { replica } = this.#p.partitions[index]!;
    const first = replica.find(append.stream, append.id);
    const to = first === null ? 0 : first.seq + first.n - 1;
    checkSameAppend(append, first === null ? [] : replica.readStored(append.stream, first.seq, to));
    const events = this.#placed(index, replica.readStream(append.stream, first!.seq, to));
    const last = events.at(-1)!;
    const head: Head = { seq: last.seq, hash: last.hash, epoch: replica.epochAt(append.stream, last.seq) };
    return { head, position: last.position, events, duplicate: true };
  }

  async head(stream: string): Promise<Head> {
    return this.#replicaOf(stream)?.head(stream) ?? EMPTY_HEAD;
  }

  async *read(stream: string, options: ReadOptions = {}): AsyncGenerator<readonly LogEvent[], void, undefined> {
    const index = this.#indexOf(stream);
    for await (const batch of this.#batches(stream, options, (replica, from, to) => replica.readStream(stream, from, to))) {
      yield this.#placed(index, batch);
    }
  }

  async *#batches<E extends { seq: number }>(
    stream: string,
    options: ReadOptions,
    readBatch: (replica: PartitionReplica, from: number, to: number) => readonly E[],
  ): AsyncGenerator<readonly E[], void, undefined> {
    const { from, to } = checkRange(options);
    for (let next = from; next <= to;) {
      const batch = readBatch(this.#replicaOf(stream), next, to);
      if (batch.length === 0) return;
      yield batch;
      next = batch.at(-1)!.seq + 1;
    }
  }

  /** Partition by partition. */
  async *streams(kind?: string): AsyncGenerator<readonly StreamInfo[], void, undefined> {
    this.#checkOpen();
    for (const { replica } of this.#p.partitions) yield* replica.streams(kind);
  }

  async findStreams(prefix: string, limit: number): Promise<readonly string[]> {
    this.#checkOpen();
    const found = this.#p.partitions.flatMap(({ replica }) => replica.findStreams(prefix, limit));
    return found.sort().slice(0, limit);
  }

  async *subscribe({ after, stream, signal }: SubscribeOptions): AsyncGenerator<readonly LogEvent[], void, undefined> {
    checkCursor(after, this.#count);
    const { changes, partitions } = this.#p;
    const cursor = [...after];
    const followed = stream === undefined ? partitions.map((_, i) => i) : [this.#indexOf(stream)];
    while (!signal.aborted && !changes.closed) {
      let any = false;
      for (const index of followed) {
        const { replica } = partitions[index]!;
        const batch = stream === undefined ? replica.readAfter(cursor[index]!) : replica.readStreamAfter(stream, cursor[index]!);
        if (batch.length === 0) continue;
        any = true;
        cursor[index] = batch.at(-1)!.position;
        yield this.#placed(index, batch);
        if (signal.aborted || changes.closed) return;
      }
      if (!any) await changes.wait(signal);
    }
    if (this.#failure !== null) throw this.#failure;
  }

  watch(watcher: LogWatcher): () => void {
    this.#checkOpen();
    return watchBySubscribing(this, watcher);
  }

  async *readRange(after: Cursor, through: Cursor): AsyncGenerator<readonly LogEvent[], void, undefined> {
    checkCursor(after, this.#count);
    checkCursor(through, this.#count, 'through');
    for (const [index, { replica }] of this.#p.partitions.entries()) {
      this.#checkOpen();
      const readAfter = (ordinal: number): LogEvent[] => replica.readAfter(ordinal);
      for (const batch of readBetween(readAfter, after[index]!, through[index]!)) yield this.#placed(index, batch);
    }
  }

  async cursor(): Promise<Cursor> {
    this.#checkOpen();
    return this.#p.partitions.map(({ replica }) => replica.count());
  }

  async waitFor(position: number, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    checkPosition(position);
    const { partition, ordinal } = placeOf(position, this.#count);
    const isThere = (): boolean => {
      this.#checkOpen();
      return this.#p.partitions[partition]!.replica.count() >= ordinal;
    };
    return waitUntil(isThere, this.#p.changes, signal);
  }

  readonly archive: Archive = {
    readStored: (stream, options = {}) => this.#batches(stream, options, (replica, from, to) => replica.readStored(stream, from, to)),
    restore: (events) => this.#restore(events),
    verify: (onProgress) => verifyWithMissing(this, (skipped) => this.#verify(skipped, onProgress)),
  };

  /** Each append counts whole. Appends of several streams are judged one by one: who writes to one of them meanwhile can stop its rest. */
  async #restore(events: readonly StoredEvent[]): Promise<{ added: number }> {
    this.#checkWritable();
    const plan = restorePlan(events, {
      head: (stream) => this.#replicaOf(stream).head(stream),
      appendSize: (stream, id) => this.#replicaOf(stream).appendSize(stream, id),
      hashAt: (stream, seq) => this.#replicaOf(stream).hashAt(stream, seq),
    });
    const epochs = new Map<string, number>();
    const sent = plan.map(async ({ records, head }) => {
      const { stream } = records[0]!;
      const { writer, replica } = this.#p.partitions[this.#indexOf(stream)]!;
      const before = epochs.get(stream) ?? replica.head(stream).epoch;
      epochs.set(stream, head.epoch);
      const verdict = await writer.send(records, before);
      if (verdict.counted) return records.length;
      throw new DreamfoldError('head_conflict', `${stream} was written to while it was restored`, {
        path: stream,
        value: replica.head(stream).seq,
        remedy: 'Restore it again: what is here already is passed over.',
      });
    });
    const added = await Promise.all(sent);
    return { added: added.reduce((sum, count) => sum + count, 0) };
  }

  readonly erasure: Erasure = {
    erase: async (stream, request) => {
      this.#checkWritable();
      const { settleKeys } = this.#p;
      if (settleKeys === null) {
        throw new DreamfoldError('precondition_failed', 'This log was created with erasure off: its payloads stand on Kafka as they are', {
          path: 'erasure',
          value: 'off',
          remedy: 'Export it without the events, and import that into a log created with erasure=on.',
        });
      }
      const erased = await eraseEvents(this, stream, request);
      if (erased.events.length > 0) await settleKeys();
      return erased;
    },
    // What this node has erased of its replicas: what others erase gets here with their events.
    since: async (mark) => {
      this.#checkOpen();
      const marks = mark === null ? [] : mark.split(',').map(Number);
      const erased = this.#p.partitions.map(({ replica }, i) => replica.erasedSince(marks[i] ?? 0));
      const now = this.#p.partitions.map(({ replica }, i) => (erased[i] ?? replica.erasedSince(0)!).mark);
      return { mark: now.join(','), streams: erased.includes(null) ? null : erased.flatMap((one) => one!.streams) };
    },
  };

  readonly blobs: Blobs = {
    put: async (bytes) => {
      this.#checkWritable();
      return this.#p.blobs.put(bytes);
    },
    get: async (sha256) => {
      this.#checkOpen();
      return this.#p.blobs.get(sha256);
    },
  };

  /** Checks the local replica, partition by partition, and lists what stands in the topic beside the log. */
  async #verify(skipped: ReadonlySet<string>, onProgress?: (done: number, total: number) => void): Promise<VerifyReport> {
    this.#checkOpen();
    // An event can be here before the blob that it names. While the brokers are away, what is here is what there is.
    await this.#p.blobs.catchUp().catch(() => {});
    const total = this.#p.partitions.reduce((sum, { replica }) => sum + replica.count(), 0);
    const report = { events: 0, streams: 0, erased: 0, blobs: this.#p.blobs.count(), problems: [] as VerifyReport['problems'][number][] };
    const setAside: Omit<SetAside, 'bytes'>[] = [];
    for (const { replica } of this.#p.partitions) {
      const before = report.events;
      const one = await replica.verify({
        skipped,
        hasBlob: (sha256) => this.#p.blobs.holds(sha256),
        onProgress: (done) => onProgress?.(before + done, total),
      });
      report.events += one.events;
      report.streams += one.streams;
      report.erased += one.erased;
      report.problems.push(...one.problems);
      for (const { partition, offset, reason } of replica.setAside()) setAside.push({ partition, offset, reason });
    }
    const former = formerReplicas(dirname(dirname(this.directory)));
    return { ...report, setAside, ...(former.length === 0 ? {} : { former }) };
  }

  /** What stands in the topic and is no event of this log. */
  setAside(): SetAside[] {
    return this.#p.partitions.flatMap(({ replica }) => [...replica.setAside()]);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { partitions, changes, release } = this.#p;
    const isStuck = this.#failure !== null;
    await Promise.all(partitions.map(({ writer }) => writer.drain(isStuck ? 0 : DRAIN_MS)));
    changes.close();
    for (const { writer } of partitions) writer.stop();
    await release();
  }

  get #count(): number {
    return this.#p.partitions.length;
  }

  #indexOf(stream: string): number {
    return partitionOf(stream, this.#count);
  }

  #replicaOf(stream: string): PartitionReplica {
    this.#checkOpen();
    return this.#p.partitions[this.#indexOf(stream)]!.replica;
  }

  /** Events of a replica know their place in the partition; here they get their place in the log. */
  #placed(partition: number, events: readonly LogEvent[]): LogEvent[] {
    const count = this.#count;
    return events.map((event) => ({ ...event, position: positionOf(partition, event.position, count) }));
  }

  #checkWritable(): void {
    this.#checkOpen();
    if (!this.#p.readOnly) return;
    throw new DreamfoldError('store_read_only', 'The log was opened read-only', {
      path: this.logId,
      remedy: 'Open the log without readOnly.',
    });
  }

  #checkOpen(): void {
    if (this.#failure !== null) throw this.#failure;
    if (!this.#p.changes.closed) return;
    throw new DreamfoldError('store_unavailable', 'The log is closed', { path: this.logId, remedy: 'Open it again.' });
  }
}
