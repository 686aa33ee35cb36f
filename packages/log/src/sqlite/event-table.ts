import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { GENESIS_HASH, eventId, type Causation, type LogEvent, type StoredEvent } from '@dreamfold/events';
import { sha256 } from '../append.ts';
import { parsePayload, upcast } from '../log-event.ts';
import type { Head } from '../port.ts';
import { EMPTY_HEAD } from '../rule.ts';
import { BATCH_SIZE } from '../subscription.ts';
import { InternedNames } from './interned-names.ts';
import { CLASSES } from './schema.ts';

const LOG_EVENT_COLUMNS = 'position, stream, seq, append_id, i, time, type, v, causation, correlation, actor, hash, data';
type LogEventRow = [
  number,
  number,
  number,
  string | null,
  number,
  number,
  number,
  number,
  Causation,
  number | null,
  number,
  Uint8Array,
  string | null,
];

const STORED_COLUMNS = `${LOG_EVENT_COLUMNS}, n, class, epoch, writer, data_hash`;
type StoredRow = [...LogEventRow, number, number, number, number, Uint8Array | null];

/** @returns '' for what is no hash: a damaged page can hold anything, and a missing hash agrees with none */
function toText(hash: Uint8Array | null): string {
  if (!(hash instanceof Uint8Array)) return '';
  return Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('base64url');
}

function toBytes(hash: string): Uint8Array {
  return Buffer.from(hash, 'base64url');
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
  readonly #appendIdAt: StatementSync;
  readonly #seqAfter: StatementSync;
  readonly #erase: StatementSync;

  constructor(db: DatabaseSync) {
    const prepare = (sql: string): StatementSync => {
      const statement = db.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    };
    this.streams = new InternedNames(db, 'streams');
    this.#names = new InternedNames(db, 'names');
    this.#insert = prepare(`INSERT INTO events (${STORED_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
    const range = 'FROM events WHERE stream = ? AND seq BETWEEN ? AND ? ORDER BY seq LIMIT ?';
    this.#byStream = prepare(`SELECT ${LOG_EVENT_COLUMNS} ${range}`);
    this.#storedByStream = prepare(`SELECT ${STORED_COLUMNS} ${range}`);
    this.#byPosition = prepare(`SELECT ${LOG_EVENT_COLUMNS} FROM events WHERE position > ? ORDER BY position LIMIT ${BATCH_SIZE}`);
    this.#hashAtSeq = prepare('SELECT hash FROM events WHERE stream = ? AND seq = ?');
    this.#hashAtPosition = prepare('SELECT hash FROM events WHERE position = ?');
    this.#last = prepare('SELECT position, hash FROM events ORDER BY position DESC LIMIT 1');
    this.#lastOfStream = prepare('SELECT seq, hash FROM events WHERE stream = ? ORDER BY seq DESC LIMIT 1');
    this.#lastClaim = prepare('SELECT epoch FROM events WHERE stream = ? AND class = 2 AND seq <= ? ORDER BY seq DESC LIMIT 1');
    this.#append = prepare('SELECT seq, n FROM events WHERE stream = ? AND append_id = ?');
    this.#appendIdAt = prepare('SELECT append_id FROM events WHERE stream = ? AND seq = ?');
    this.#seqAfter = prepare('SELECT seq FROM events WHERE stream = ? AND position <= ? ORDER BY seq DESC LIMIT 1');
    this.#erase = prepare('UPDATE events SET data = NULL, data_hash = ? WHERE stream = ? AND seq = ? AND data IS NOT NULL');
  }

  /** Names are taken from memory; what a rolled back transaction has added is not there. */
  forgetNames(): void {
    this.streams.forget();
    this.#names.forget();
  }

  insert(position: number, streamId: number, event: StoredEvent): void {
    const names = this.#names;
    this.#insert.run(
      position,
      streamId,
      event.seq,
      event.append.i === 0 ? event.append.id : null,
      event.append.i,
      event.time,
      names.intern(event.type),
      event.v,
      event.causation,
      event.correlation === null ? null : names.intern(event.correlation),
      names.intern(event.actor),
      toBytes(event.hash),
      event.data,
      event.append.n,
      CLASSES.indexOf(event.class),
      event.epoch,
      names.intern(event.writer),
      event.data === null ? toBytes(event.dataHash) : null,
    );
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

  findAppend(streamId: number, appendId: string): { seq: number; n: number } | null {
    const row = this.#append.get(streamId, appendId) as unknown as [number, number] | undefined;
    return row === undefined ? null : { seq: row[0], n: row[1] };
  }

  /** The last seq of a stream up to a position, 0 when there is none. */
  seqUpTo(streamId: number, position: number): number {
    const row = this.#seqAfter.get(streamId, position) as unknown as [number] | undefined;
    return row?.[0] ?? 0;
  }

  readStream(streamId: number, from: number, to: number): LogEvent[] {
    return this.#toLogEvents(this.#byStream.all(streamId, from, to, BATCH_SIZE) as unknown as LogEventRow[]);
  }

  readAfter(position: number): LogEvent[] {
    return this.#toLogEvents(this.#byPosition.all(position) as unknown as LogEventRow[]);
  }

  #toLogEvents(rows: readonly LogEventRow[]): LogEvent[] {
    const events: LogEvent[] = [];
    let appendId = '';
    for (const row of rows) {
      const [position, streamId, seq, firstId, i, time, type, v, causation, correlation, actor, hash, data] = row;
      if (firstId !== null) appendId = firstId;
      else if (events.length === 0) appendId = this.#appendIdOf(streamId, seq - i);
      const stream = this.streams.name(streamId);
      events.push(
        upcast({
          position,
          stream,
          seq,
          id: eventId(appendId, i),
          time,
          type: this.#names.name(type),
          v,
          causation,
          correlation: correlation === null ? null : this.#names.name(correlation),
          actor: this.#names.name(actor),
          hash: toText(hash),
          data: data === null ? null : parsePayload(data, { stream, seq }),
        }),
      );
    }
    return events;
  }

  /** A batch ends where an append does, unless the range ends first, so that it can be restored elsewhere. */
  readStored(streamId: number, from: number, to: number): StoredEvent[] {
    const rows = this.#storedByStream.all(streamId, from, to, BATCH_SIZE) as unknown as StoredRow[];
    const last = rows.at(-1);
    if (last !== undefined) {
      const [seq, i, n] = [last[2], last[4], last[13]];
      const rest = Math.min(seq + n - 1 - i, to);
      if (rest > seq) rows.push(...(this.#storedByStream.all(streamId, seq + 1, rest, n) as unknown as StoredRow[]));
    }
    const events: StoredEvent[] = [];
    const stream = this.streams.name(streamId);
    const names = this.#names;
    let appendId = '';
    let prev = rows.length > 0 && rows[0]![2] > 1 ? (this.hashAt(streamId, rows[0]![2] - 1) ?? '') : GENESIS_HASH;
    for (const row of rows) {
      const [, , seq, firstId, i, time, type, v, causation, correlation, actor, hashBytes, data, n, cls, epoch, writer, dataHash] = row;
      if (firstId !== null) appendId = firstId;
      else if (events.length === 0) appendId = this.#appendIdOf(streamId, seq - i);
      const hash = toText(hashBytes);
      events.push({
        stream,
        seq,
        id: eventId(appendId, i),
        time,
        prev,
        hash,
        type: names.name(type),
        v,
        // Damage may have put any number here; the hash does not agree then.
        class: CLASSES[cls] ?? 'open',
        epoch,
        append: { id: appendId, i, n },
        writer: names.name(writer),
        causation,
        correlation: correlation === null ? null : names.name(correlation),
        actor: names.name(actor),
        dataHash: data !== null ? sha256(data) : dataHash === null ? '' : toText(dataHash),
        data,
      });
      prev = hash;
    }
    return events;
  }

  #appendIdOf(streamId: number, seq: number): string {
    const row = this.#appendIdAt.get(streamId, seq) as unknown as [string | null] | undefined;
    return row?.[0] ?? '';
  }

  /** @returns whether there was a payload to erase */
  erase(streamId: number, seq: number): boolean {
    const [event] = this.readStored(streamId, seq, seq);
    if (event === undefined || event.data === null) return false;
    return this.#erase.run(toBytes(event.dataHash), streamId, seq).changes === 1;
  }
}
