import { DreamfoldError, type LogEvent, type StoredEvent } from '@dreamfold/events';
import { sha256 } from '../rule/append.ts';
import { seqOfEvent } from '../rule/erasure.ts';
import { parsePayloadIfJson } from '../log-event.ts';
import type { Head, StreamInfo, VerifyReport } from '../port.ts';
import type { ErasedEvent, FoldedAppend, PartitionRecord, PartitionReplica, SetAside } from '../rule/replica.ts';
import { WHOLE_RULE, foldRecord, type Anchor, type Judged, type RuleContext } from '../rule/rule.ts';
import { AnchorRow } from './tables/anchor-row.ts';
import { CountedEvents } from './tables/counted-events.ts';
import { DatabaseWriter } from './database/database-writer.ts';
import { ErasureTable } from './tables/erasure-table.ts';
import { EventTable } from './tables/event-table.ts';
import { listStreams } from './tables/list-streams.ts';
import { openLogDatabase, type LogDatabase } from './database/log-database.ts';
import { SetAsideTable } from './tables/set-aside-table.ts';
import { asStoreError, corrupt } from './database/sqlite-error.ts';
import { verifyDatabase, type VerifyOptions } from './database/verify-database.ts';

export const REPLICA_FILE = 'replica.db';

export interface PartitionReplicaOptions {
  /** Holds `replica.db` and `head`. It is made when its parent exists. One process at a time may fold there. */
  directory: string;
  partition: number;
  /** Whether a stream's records belong in this partition; every stream's do when left out. */
  inPartition?: (stream: string) => boolean;
  /** Only look, also beside the process that folds. */
  readOnly?: boolean;
}

/**
 * Opens the replica of a partition, or begins one.
 * @throws DreamfoldError store_corrupt: delete its directory, and fold the partition again; and those of
 * openSqliteLog
 */
export function openPartitionReplica(options: PartitionReplicaOptions): PartitionReplica {
  const { directory, readOnly = false } = options;
  return openLogDatabase({ directory, file: REPLICA_FILE, readOnly, begin: (db) => new AnchorRow(db).begin() }, (database) => {
    const anchor = new AnchorRow(database.db).read();
    if (anchor === null) throw corrupt(database.path, `${database.path} does not say how far it has folded its partition`);
    return new SqlitePartitionReplica(options, database, anchor);
  });
}

/** Records whose verdict is not known yet, as they were read and as the rule keeps them. */
interface Pending {
  records: readonly PartitionRecord[];
  events: readonly StoredEvent[];
}

const NOTHING: Pending = { records: [], events: [] };

class SqlitePartitionReplica implements PartitionReplica {
  readonly partition: number;
  readonly #readOnly: boolean;
  readonly #database: LogDatabase;
  readonly #table: EventTable;
  readonly #events: CountedEvents;
  readonly #erasures: ErasureTable;
  readonly #writer: DatabaseWriter;
  readonly #anchorRow: AnchorRow;
  readonly #setAside: SetAsideTable;
  readonly #context: RuleContext;
  /** For events that are known to be intact. */
  readonly #contextOfIntact: RuleContext;
  /** Of the database: only another process changes it. */
  readonly #version: number;
  #anchor: Anchor;
  #pending = NOTHING;

  constructor({ partition, inPartition, readOnly = false }: PartitionReplicaOptions, database: LogDatabase, anchor: Anchor) {
    this.partition = partition;
    this.#readOnly = readOnly;
    this.#database = database;
    this.#anchor = anchor;
    this.#table = new EventTable(database.db, parsePayloadIfJson);
    this.#erasures = new ErasureTable(database.db);
    this.#events = new CountedEvents(this.#table, { onErased: (streamId, seq) => this.#erasures.add(streamId, seq) });
    this.#writer = new DatabaseWriter(database, this.#events, false);
    this.#anchorRow = new AnchorRow(database.db);
    this.#setAside = new SetAsideTable(database.db, partition);
    this.#context = { counted: this.#events, hash: sha256, ...(inPartition === undefined ? {} : { inPartition }) };
    this.#contextOfIntact = { ...this.#context, parts: { ...WHOLE_RULE, intact: false } };
    this.#writer.refresh();
    this.#version = this.#writer.seenVersion;
  }

  anchor(): Anchor {
    return this.#anchor;
  }

  next(): number {
    return this.#anchor.offset + this.#pending.records.length;
  }

  fold(records: readonly PartitionRecord[]): readonly FoldedAppend[] {
    const before = records[0]?.offset === this.#anchor.offset ? NOTHING : this.#pending;
    this.#checkGaps(before, records);
    const { result } = this.#writer.run(() => {
      this.#checkAlone();
      const folded: FoldedAppend[] = [];
      const pending = this.#foldInto(folded, before, records);
      const anchor = this.#anchorAfter([...before.records, ...records], pending);
      if (anchor !== this.#anchor) this.#anchorRow.write(anchor);
      return { folded, pending, anchor };
    });
    // Only now: what fails is undone, and folded again.
    this.#pending = result.pending;
    this.#anchor = result.anchor;
    return result.folded;
  }

  #foldInto(folded: FoldedAppend[], before: Pending, records: readonly PartitionRecord[]): Pending {
    let { events } = before;
    const waiting = [...before.records];
    for (const record of records) {
      waiting.push(record);
      const result = foldRecord(events, record.record, record.isIntact === true ? this.#contextOfIntact : this.#context);
      events = result.pending;
      for (const judged of result.judged) folded.push(this.#settle(judged, waiting.splice(0, judged.records.length)));
    }
    return { records: waiting, events };
  }

  /** @param records those of the verdict, as they were read */
  #settle({ records: judged, verdict }: Judged, records: readonly PartitionRecord[]): FoldedAppend {
    const { offset } = records.at(-1)!;
    if (!verdict.counted && verdict.reason === 'broken') {
      this.#setAside.add(records[0]!, verdict.reason);
      return { offset, stream: null, appendId: null, hash: null, verdict };
    }
    const append = judged as readonly StoredEvent[];
    const { stream, append: of, hash } = append.at(-1)!;
    const settled = { offset, stream, appendId: of.id, hash };
    if (!verdict.counted) {
      if (verdict.reason === 'torn') for (const record of records) this.#setAside.add(record, verdict.reason);
      append.forEach((event, i) => this.#keepCopy(event, records[i]!));
      return { ...settled, verdict };
    }
    const { head } = verdict;
    this.#events.add(
      append.map((event, i) => opened(event, records[i]!.payload)),
      head.epoch,
    );
    return { ...settled, verdict: { counted: true, head, ordinal: this.#events.last.position } };
  }

  /** What nobody counts holds its payload all the same: erasing the event has to reach it. One that does not open holds nothing. */
  #keepCopy(event: StoredEvent, record: PartitionRecord): void {
    const { stream, data, id } = event;
    if (record.keyId == null || (data ?? opened(event, record.payload).data) === null) return;
    const streamId = this.#table.streams.intern(stream);
    this.#erasures.addCopy(streamId, event, record.keyId);
    const seq = seqOfEvent(id, (appendId) => this.#events.findAppend(stream, appendId));
    if (seq !== null && this.#erasures.ofStream(streamId).some((erased) => erased.seq === seq)) this.#erasures.add(streamId, seq);
  }

  /** The anchor at the last record whose verdict is known. It alone is hashed: those before it need not be told apart. */
  #anchorAfter(records: readonly PartitionRecord[], pending: Pending): Anchor {
    const settled = records.length - pending.records.length;
    if (settled === 0) return this.#anchor;
    const { offset, bytes, term } = records[settled - 1]!;
    return { offset: offset + 1, digest: sha256(bytes), term };
  }

  #checkGaps(before: Pending, records: readonly PartitionRecord[]): void {
    const next = this.#anchor.offset + before.records.length;
    const at = records.findIndex(({ offset }, i) => offset !== next + i);
    if (at === -1) return;
    throw new DreamfoldError('invalid_argument', `The record to fold next stands at offset ${next + at}, not ${records[at]!.offset}`, {
      path: `records/${at}/offset`,
      value: records[at]!.offset,
      remedy: 'Fold the records of a partition in their order, without gap, from next() on.',
    });
  }

  #checkAlone(): void {
    if (this.#writer.seenVersion === this.#version) return;
    throw new DreamfoldError('store_locked', `Another process folds into ${this.#database.path}`, {
      path: this.#database.path,
      remedy: 'Give each process a directory of its own.',
    });
  }

  count(): number {
    return this.#look(() => this.#events.last.position);
  }

  head(stream: string): Head {
    return this.#look(() => this.#events.head(stream));
  }

  find(stream: string, appendId: string): { seq: number; n: number } | null {
    return this.#look(() => this.#events.findAppend(stream, appendId));
  }

  appendSize(stream: string, appendId: string): number {
    return this.#look(() => this.#events.appendSize(stream, appendId));
  }

  readStream(stream: string, from: number, to: number): LogEvent[] {
    return this.#ofStream(stream, [], (id) => this.#table.readStream(id, from, to));
  }

  readStored(stream: string, from: number, to: number): StoredEvent[] {
    return this.#ofStream(stream, [], (id) => this.#table.readStored(id, from, to));
  }

  epochAt(stream: string, seq: number): number {
    return this.#ofStream(stream, 0, (id) => this.#table.epochAt(id, seq));
  }

  hashAt(stream: string, seq: number): string | null {
    return this.#ofStream(stream, null, (id) => this.#table.hashAt(id, seq));
  }

  readAfter(ordinal: number): LogEvent[] {
    return this.#look(() => this.#table.readAfter(ordinal));
  }

  readStreamAfter(stream: string, ordinal: number): LogEvent[] {
    return this.#ofStream(stream, [], (id) => this.#table.readStream(id, this.#table.seqUpTo(id, ordinal) + 1, Number.MAX_SAFE_INTEGER));
  }

  streams(kind?: string): AsyncGenerator<readonly StreamInfo[], void, undefined> {
    return listStreams(this.#table, kind, (run) => this.#look(run));
  }

  findStreams(prefix: string, limit: number): string[] {
    return this.#look(() => this.#table.streams.beginningWith(prefix, limit));
  }

  #ofStream<T>(stream: string, none: T, read: (streamId: number) => T): T {
    return this.#look(() => {
      const streamId = this.#table.streams.find(stream);
      return streamId === null ? none : read(streamId);
    });
  }

  /** Reads, also after a fold that failed, and what another process has folded meanwhile. */
  #look<T>(read: () => T): T {
    return this.#writer.guard(() => {
      if (this.#readOnly) this.#writer.refresh();
      else this.#writer.refreshAfterFailure();
      return read();
    });
  }

  owingKeys(now: number, knownBy: number): string[] {
    if (this.#look(() => this.#erasures.hasUnseen)) this.#writer.run(() => this.#erasures.see(now));
    return this.#look(() => this.#erasures.owing(knownBy).map((id) => this.#table.streams.name(id)));
  }

  erasedEvents(stream: string): ErasedEvent[] {
    return this.#ofStream(stream, [], (id) =>
      this.#erasures.ofStream(id).map(({ seq, since, isDestroyed }) => {
        const [event] = this.#table.readStored(id, seq, seq);
        // A record that stands here too, byte for byte, is sealed with the key of what counts.
        const copies = this.#erasures
          .copiesOf(id, event!)
          .filter((copy) => copy.seq === seq || this.#table.hashAt(id, copy.seq) !== copy.hash);
        return { seq, since: since ?? Number.POSITIVE_INFINITY, isDestroyed, copies };
      }),
    );
  }

  settleKeys(stream: string, seqs: readonly number[]): void {
    this.#ofStream(stream, undefined, (id) => this.#writer.run(() => seqs.forEach((seq) => this.#erasures.settle(id, seq))));
  }

  erasedSince(mark: number): { mark: number; streams: readonly string[] } | null {
    return this.#writer.erasedSince(mark);
  }

  async verify(log: VerifyOptions): Promise<VerifyReport> {
    try {
      return await verifyDatabase(this.#database, log);
    } catch (error) {
      throw asStoreError(error, this.#database.path);
    }
  }

  *setAside(): Generator<SetAside, void, undefined> {
    const all = this.#setAside.all();
    for (let next = this.#look(() => all.next()); next.done !== true; next = this.#look(() => all.next())) yield next.value;
  }

  close(): void {
    if (!this.#database.db.isOpen) return;
    this.#database.headFile.close();
    this.#writer.guard(() => this.#database.db.close());
  }
}

/** An event with the payload that the log holds sealed. A text that is not what was hashed is dropped: the event counts without it. */
function opened(event: StoredEvent, payload: string | null | undefined): StoredEvent {
  if (event.data !== null || payload == null || sha256(payload) !== event.dataHash) return event;
  return { ...event, data: payload };
}
