import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { GENESIS_HASH, eventId, type Causation, type LogEvent, type StoredEvent, type WriteClass } from '@dreamfold/events';
import { sha256 } from '../../rule/append.ts';
import { parsePayload, upcast } from '../../log-event.ts';
import { isErasable } from '../../rule/erasure.ts';
import type { Head } from '../../port.ts';
import { EMPTY_HEAD } from '../../rule/rule.ts';
import { BATCH_SIZE } from '../../subscription.ts';
import { InternedNames } from './interned-names.ts';
import { INNER_LIKE } from './schema.ts';
import { checkRises } from '../database/sqlite-error.ts';

const LOG_EVENT_COLUMNS = 'position, stream, seq, append_id, time, correlation, kind, actor, causation, hash, data';
type LogEventRow = [
  ...[position: number, stream: number, seq: number, appendId: string | null, time: number | null, correlation: number | null],
  ...[kind: number, actor: number, causation: Causation, hash: Uint8Array, data: string | Uint8Array],
];

const STORED_COLUMNS = `${LOG_EVENT_COLUMNS}, n, writer, epoch`;
type StoredRow = [...LogEventRow, n: number | null, writer: number | null, epoch: number];

/** What stands in the first row of an append, for all of its events. */
interface AppendRow {
  id: string;
  seq: number;
  n: number;
  time: number;
  writer: number;
  correlation: number | null;
}

/** For the rest of an append whose first row is gone: no hash agrees with it. */
const LOST: AppendRow = { id: '', seq: 0, n: 0, time: 0, writer: 0, correlation: null };

/** A type, its version and its class, which repeat in every event. */
interface Kind {
  type: string;
  v: number;
  class: WriteClass;
}

function nameOfKind({ type, v, class: writeClass }: Kind): string {
  return `${type}@${v} ${writeClass}`;
}

function kindOfName(name: string): Kind {
  const [at, space] = [name.lastIndexOf('@'), name.lastIndexOf(' ')];
  return { type: name.slice(0, at), v: Number(name.slice(at + 1, space)), class: name.slice(space + 1) as WriteClass };
}

/** @returns '' for what is no hash: a damaged page can hold anything, and a missing hash agrees with none */
function toText(hash: Uint8Array | null): string {
  if (!(hash instanceof Uint8Array)) return '';
  return Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('base64url');
}

/** One hash at a time: SQLite copies what it is given. A fresh buffer for each would cost a tenth of an append. */
const HASH_BYTES = Buffer.alloc(32);

function toBytes(hash: string): Uint8Array {
  HASH_BYTES.write(hash, 'base64url');
  return HASH_BYTES;
}

/** The table `events`, one connection's view of it: rows to events and back. */
export class EventTable {
  readonly streams: InternedNames;
  readonly #names: InternedNames;
  readonly #insert: StatementSync;
  readonly #byStream: StatementSync;
  readonly #byPosition: StatementSync;
  readonly #storedByStream: StatementSync;
  readonly #hashAtSeq: StatementSync;
  readonly #hashAtPosition: StatementSync;
  readonly #last: StatementSync;
  readonly #lastOfStream: StatementSync;
  readonly #lastClaim: StatementSync;
  readonly #append: StatementSync;
  readonly #appendOf: StatementSync;
  readonly #innerLikeIds: StatementSync;
  readonly #kinds = new Map<number, Kind>();
  readonly #kindIds: Readonly<Record<WriteClass, Map<string, number>>> = { open: new Map(), owner: new Map(), claim: new Map() };
  readonly #seqAfter: StatementSync;
  readonly #erase: StatementSync;
  readonly #naming: StatementSync;

  readonly #parse: typeof parsePayload;

  /** @param parse what readers see of a payload's text */
  constructor(db: DatabaseSync, parse: typeof parsePayload = parsePayload) {
    this.#parse = parse;
    const prepare = (sql: string): StatementSync => {
      const statement = db.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    };
    this.streams = new InternedNames(db, 'streams');
    this.#names = new InternedNames(db, 'names');
    this.#insert = prepare(`INSERT INTO events (${STORED_COLUMNS}) VALUES (${'?, '.repeat(13)}?)`);
    const range = 'FROM events WHERE stream = ? AND seq BETWEEN ? AND ? ORDER BY seq LIMIT ?';
    this.#byStream = prepare(`SELECT ${LOG_EVENT_COLUMNS} ${range}`);
    this.#storedByStream = prepare(`SELECT ${STORED_COLUMNS} ${range}`);
    this.#byPosition = prepare(`SELECT ${LOG_EVENT_COLUMNS} FROM events WHERE position > ? ORDER BY position LIMIT ${BATCH_SIZE}`);
    this.#hashAtSeq = prepare('SELECT hash FROM events WHERE stream = ? AND seq = ?');
    this.#hashAtPosition = prepare('SELECT hash FROM events WHERE position = ?');
    this.#last = prepare('SELECT position, hash FROM events ORDER BY position DESC LIMIT 1');
    this.#lastOfStream = prepare('SELECT seq, hash FROM events WHERE stream = ? ORDER BY seq DESC LIMIT 1');
    this.#lastClaim = prepare('SELECT -epoch FROM events WHERE stream = ? AND epoch < 0 AND seq <= ? ORDER BY seq DESC LIMIT 1');
    this.#append = prepare(
      'SELECT seq, n FROM events WHERE stream = ?1 AND substr(append_id, -6) = substr(?2, -6) AND append_id = ?2 AND +seq < ?3',
    );
    this.#innerLikeIds = prepare(`SELECT 1 FROM events WHERE stream = ? AND ${INNER_LIKE} LIMIT 1`);
    this.#appendOf = prepare(
      'SELECT append_id, seq, n, time, writer, correlation FROM events WHERE stream = ? AND seq <= ? AND append_id IS NOT NULL ORDER BY seq DESC LIMIT 1',
    );
    this.#seqAfter = prepare('SELECT seq FROM events WHERE stream = ? AND position <= ? ORDER BY seq DESC LIMIT 1');
    this.#erase = prepare("UPDATE events SET data = ? WHERE stream = ? AND seq = ? AND typeof(data) = 'text'");
    this.#naming = prepare("SELECT 1 FROM events WHERE typeof(data) = 'text' AND instr(data, ?) > 0 LIMIT 1");
  }

  /** Names are taken from memory; what a rolled back transaction has added is not there. */
  forgetNames(): void {
    this.streams.forget();
    this.#names.forget();
    this.#kinds.clear();
    for (const ids of Object.values(this.#kindIds)) ids.clear();
  }

  insert(position: number, streamId: number, event: StoredEvent): void {
    const names = this.#names;
    const first = event.append.i === 0;
    this.#insert.run(
      position,
      streamId,
      event.seq,
      first ? event.append.id : null,
      first ? event.time : null,
      first && event.correlation !== null ? names.intern(event.correlation) : null,
      this.#kindId(event),
      names.intern(event.actor),
      event.causation,
      toBytes(event.hash),
      // Not toBytes(), whose bytes are those of `hash` here.
      event.data ?? Buffer.from(event.dataHash, 'base64url'),
      first ? event.append.n : null,
      first ? names.intern(event.writer) : null,
      event.class === 'claim' ? -event.epoch : event.epoch,
    );
  }

  /** One string to look up instead of three to put together. */
  #kindId(event: StoredEvent): number {
    const ids = this.#kindIds[event.class];
    const known = event.v === 1 ? ids.get(event.type) : undefined;
    if (known !== undefined) return known;
    const id = this.#names.intern(nameOfKind(event));
    if (event.v === 1) ids.set(event.type, id);
    return id;
  }

  last(): { position: number; hash: string } {
    const row = this.#last.get() as unknown as [number, Uint8Array] | undefined;
    return row === undefined ? { position: 0, hash: GENESIS_HASH } : { position: row[0], hash: toText(row[1]) };
  }

  hashAtPosition(position: number): string | null {
    const row = this.#hashAtPosition.get(position) as unknown as [Uint8Array] | undefined;
    return row === undefined ? null : toText(row[0]);
  }

  hashAt(streamId: number, seq: number): string | null {
    const row = this.#hashAtSeq.get(streamId, seq) as unknown as [Uint8Array] | undefined;
    return row === undefined ? null : toText(row[0]);
  }

  head(streamId: number): Head {
    const row = this.#lastOfStream.get(streamId) as unknown as [number, Uint8Array] | undefined;
    return row === undefined ? EMPTY_HEAD : { seq: row[0], hash: toText(row[1]), epoch: this.epochAt(streamId, row[0]) };
  }

  /** Epoch of the newest claim up to a seq. */
  epochAt(streamId: number, seq: number): number {
    const row = this.#lastClaim.get(streamId, seq) as unknown as [number] | undefined;
    return row?.[0] ?? 0;
  }

  /** The append with an id, of those that begin before a seq. */
  findAppend(streamId: number, appendId: string, before = Number.MAX_SAFE_INTEGER): { seq: number; n: number } | null {
    const row = this.#append.get(streamId, appendId, before) as unknown as [number, number] | undefined;
    return row === undefined ? null : { seq: row[0], n: row[1] };
  }

  /** Whether an append of the stream has an id such as `a-1`, which could also be the id of an inner event. */
  hasInnerLikeIds(streamId: number): boolean {
    return this.#innerLikeIds.get(streamId) !== undefined;
  }

  /** The last seq of a stream up to a position, 0 when there is none. */
  seqUpTo(streamId: number, position: number): number {
    const row = this.#seqAfter.get(streamId, position) as unknown as [number] | undefined;
    return row?.[0] ?? 0;
  }

  readStream(streamId: number, from: number, to: number): LogEvent[] {
    const rows = this.#byStream.all(streamId, from, to, BATCH_SIZE) as unknown as LogEventRow[];
    if (rows.length > 0) checkRises(rows.at(-1)![2], from - 1);
    return this.#toLogEvents(rows);
  }

  readAfter(position: number): LogEvent[] {
    const rows = this.#byPosition.all(position) as unknown as LogEventRow[];
    if (rows.length > 0) checkRises(rows.at(-1)![0], position);
    return this.#toLogEvents(rows);
  }

  #toLogEvents(rows: readonly LogEventRow[]): LogEvent[] {
    const names = this.#names;
    const events: LogEvent[] = [];
    let append = { id: '', seq: 0, time: 0 };
    let correlation: string | null = null;
    for (const row of rows) {
      const [position, streamId, seq, appendId, time, correlationId, kindId, actor, causation, hash, data] = row;
      if (appendId !== null) {
        append = { id: appendId, seq, time: time! };
        correlation = correlationId === null ? null : names.name(correlationId);
      } else if (events.length === 0) {
        const found = this.#appendAt(streamId, seq);
        append = found;
        correlation = found.correlation === null ? null : names.name(found.correlation);
      }
      const stream = this.streams.name(streamId);
      const { type, v } = this.#kind(kindId);
      events.push(
        upcast({
          position,
          stream,
          seq,
          id: eventId(append.id, seq - append.seq),
          time: append.time,
          type,
          v,
          causation,
          correlation,
          actor: names.name(actor),
          hash: toText(hash),
          data: typeof data === 'string' ? this.#parse(data, { stream, seq }) : null,
        }),
      );
    }
    return events;
  }

  /** A batch ends where an append does, unless the range ends first, so that it can be restored elsewhere. */
  readStored(streamId: number, from: number, to: number): StoredEvent[] {
    const names = this.#names;
    const rows = this.#storedByStream.all(streamId, from, to, BATCH_SIZE) as unknown as StoredRow[];
    const last = rows.at(-1);
    if (last !== undefined) {
      checkRises(last[2], from - 1);
      const { seq, n } = last[3] === null ? this.#appendAt(streamId, last[2]) : { seq: last[2], n: last[11]! };
      const end = Math.min(seq + n - 1, to);
      if (end > last[2]) rows.push(...(this.#storedByStream.all(streamId, last[2] + 1, end, n) as unknown as StoredRow[]));
    }
    const events: StoredEvent[] = [];
    const stream = this.streams.name(streamId);
    let append = LOST;
    let prev = rows.length > 0 && rows[0]![2] > 1 ? (this.hashAt(streamId, rows[0]![2] - 1) ?? '') : GENESIS_HASH;
    for (const row of rows) {
      const [, , seq, id, time, correlation, kindId, actor, causation, hashBytes, data, n, writer, epoch] = row;
      if (id !== null) append = { id, seq, n: n!, time: time!, writer: writer!, correlation };
      else if (events.length === 0) append = this.#appendAt(streamId, seq);
      const kind = this.#kind(kindId);
      const hash = toText(hashBytes);
      const i = seq - append.seq;
      events.push({
        stream,
        seq,
        id: eventId(append.id, i),
        time: append.time,
        prev,
        hash,
        type: kind.type,
        v: kind.v,
        class: kind.class,
        epoch: kind.class === 'claim' ? -epoch : epoch,
        append: { id: append.id, i, n: append.n },
        writer: names.name(append.writer),
        causation,
        correlation: append.correlation === null ? null : names.name(append.correlation),
        actor: names.name(actor),
        dataHash: typeof data === 'string' ? sha256(data) : toText(data),
        data: typeof data === 'string' ? data : null,
      });
      prev = hash;
    }
    return events;
  }

  #kind(id: number): Kind {
    let kind = this.#kinds.get(id);
    if (kind === undefined) this.#kinds.set(id, (kind = kindOfName(this.#names.name(id))));
    return kind;
  }

  /** The append that an event is part of. */
  #appendAt(streamId: number, seq: number): AppendRow {
    const row = this.#appendOf.get(streamId, seq) as unknown as [string, number, number, number, number, number | null] | undefined;
    if (row === undefined) return LOST;
    const [id, first, n, time, writer, correlation] = row;
    return { id, seq: first, n, time, writer, correlation };
  }

  /** @returns the event as it was; null when it had no payload, or one that is never erased */
  erase(streamId: number, seq: number): StoredEvent | null {
    const [event] = this.readStored(streamId, seq, seq);
    if (event === undefined || event.data === null || !isErasable(event)) return null;
    this.#erase.run(toBytes(event.dataHash), streamId, seq);
    return event;
  }

  /** Whether a text stands in the payload of any event. Reads all of them. */
  isNamed(text: string): boolean {
    return this.#naming.get(text) !== undefined;
  }
}
