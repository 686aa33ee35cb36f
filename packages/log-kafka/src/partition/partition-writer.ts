import { setTimeout as pause } from 'node:timers/promises';
import { backoffMs } from '@dreamfold/core/backoff';
import { DreamfoldError, type StoredEvent } from '@dreamfold/events';
import { fate, isFinal, type Head, type Refusal } from '@dreamfold/log';
import {
  isOnTop,
  newWriterName,
  proposalOn,
  refusalError,
  stampAppend,
  type FoldedAppend,
  type PartitionReplica,
  type PreparedAppend,
} from '@dreamfold/log/backend';
import { ProduceError, type DriverRecord } from '../driver/driver.ts';
import { jittered } from '../driver/jittered.ts';
import { PRODUCE_AGAIN, Refusals } from '../topics/refusals.ts';
import { SentRecords } from './sent-records.ts';
import { MAX_BATCH_BYTES } from '../topics/topics-spec.ts';

/** Records of several appends that go out in one request come to at most so many bytes; a larger append goes alone. */
const REQUEST_BYTES = 900_000;

/** Room for what Kafka adds to a batch. */
const MAX_APPEND_BYTES = MAX_BATCH_BYTES - 64 * 1024;

/** How often an append that commutes is put on a newer head before it is given up. */
const REBASES = 200;

/** What was acknowledged by the broker comes back within milliseconds; after so long it is sent again. */
const OVERDUE_MS = 10_000;

/** An append that was stamped, on its way to a verdict. Its bytes stay the same however often they are sent. */
interface Flight {
  stream: string;
  id: string;
  stored: readonly StoredEvent[];
  /** Names its bytes. */
  hash: string;
  records: readonly DriverRecord[] | null;
  /** Which of the keys of its seqs its records are sealed with: no two records have one. */
  attempt: number;
  bytes: number;
  /** When the broker acknowledged it last, 0 before. */
  acknowledged: number;
  settle: (verdict: FlightVerdict) => void;
  settled: Promise<FlightVerdict>;
}

type FlightVerdict = { counted: true; head: Head; ordinal: number } | { counted: false; reason: Refusal } | { counted: null };

/** The appends of one stream that are on their way, each on top of the one before, and where they lead. */
interface StreamQueue {
  head: Head;
  flights: Flight[];
}

/** An append that counted: its events, and the place of the last one in the partition. */
export interface Counted {
  stored: readonly StoredEvent[];
  head: Head;
  ordinal: number;
  duplicate: boolean;
}

export interface WriterParts {
  replica: PartitionReplica;
  /** Makes the records of an append; may have to store a key first. Called once for each append. */
  encode: (appends: readonly { stored: readonly StoredEvent[]; attempt: number }[]) => Promise<readonly DriverRecord[][]>;
  /** One produce request; throws when it failed, whether or not it was written. */
  produce: (records: readonly DriverRecord[]) => Promise<void>;
  /** Resolves when the replica has folded all that stands in the partition now. */
  catchUp: () => Promise<void>;
  /** The brokers have answered for some time, and refuse what is written; null when they take it again. */
  onRefused: (error: Error | null) => void;
  /** Records can't be made: their key can't be kept. No other try would end better. */
  onFailed: (error: Error) => void;
  random: () => number;
  now: () => number;
}

/**
 * Appends to one partition of a log that arbitrates nothing itself. An append is stamped on the newest head known here,
 * produced, and judged when it is read back. Until that verdict is final the same bytes are sent again, however long the broker is away.
 * One request is under way at a time; what waits meanwhile goes out together.
 */
export class PartitionWriter {
  readonly name = newWriterName();
  /** What is on its way, as it will be read. */
  readonly sent = new SentRecords();
  readonly #p: WriterParts;
  readonly #lines = new Map<string, StreamQueue>();
  readonly #byHash = new Map<string, Flight>();
  readonly #refusals: Refusals;
  /** Of each stream, how often records were sent at seqs beyond its head that count for nobody. */
  readonly #used = new Map<string, Map<number, number>>();
  #queue: Flight[] = [];
  #pumping = false;
  #stopped: DreamfoldError | null = null;

  constructor(parts: WriterParts) {
    this.#p = parts;
    this.#refusals = new Refusals(parts.onRefused);
  }

  /** Number of appends without a verdict. */
  get waiting(): number {
    return this.#byHash.size;
  }

  /** @throws DreamfoldError head_conflict, fenced, payload_too_large, store_unavailable (closed before the verdict was known) */
  async append(append: PreparedAppend): Promise<Counted | 'id_used'> {
    let caughtUp = false;
    for (let rebases = 0; ;) {
      this.#checkOpen();
      const line = this.#lines.get(append.stream);
      const head = line?.head ?? this.#p.replica.head(append.stream);
      const refusal = this.#judge(append, head, line);
      if (refusal === null) {
        const verdict = await this.send(stampAppend(append, head, this.name), head.epoch);
        if (verdict.counted) return { ...verdict, duplicate: false };
        if (verdict.reason === 'head_passed' && append.expected === 'any') {
          rebases += 1;
          if (rebases > REBASES) throw refusalError('head_passed', append, this.#p.replica.head(append.stream));
          await pause(this.#p.random() * Math.min(rebases, 20));
        }
      } else if (line !== undefined) {
        // What is on its way may not count; only a head that is certain may refuse.
        await Promise.all(line.flights.map((flight) => flight.settled));
      } else if (refusal === 'ahead' && !caughtUp) {
        // Another node may have written what this one has not read yet.
        await this.#p.catchUp();
        caughtUp = true;
      } else if (refusal === 'id_used') {
        return 'id_used';
      } else {
        throw refusalError(refusal, append, head);
      }
    }
  }

  #judge(append: PreparedAppend, head: Head, line: StreamQueue | undefined): Refusal | null {
    const inFlight = (id: string): Flight | undefined => line?.flights.find((flight) => flight.id === id);
    const appendSize = (id: string): number => inFlight(id)?.stored.length ?? this.#p.replica.appendSize(append.stream, id);
    const result = fate(head, proposalOn(head, append), { appendSize });
    if (typeof result === 'string') return result;
    const find = (id: string): { seq: number; n: number } | null => {
      const flight = inFlight(id);
      return flight === undefined ? this.#p.replica.find(append.stream, id) : { seq: flight.stored[0]!.seq, n: flight.stored.length };
    };
    return isOnTop(head, append, find) ? null : 'head_passed';
  }

  /**
   * Sends records that are stamped already, on top of what is on its way in their stream.
   * @param epoch of the stream before them
   * @throws DreamfoldError payload_too_large, store_unavailable
   */
  async send(
    stored: readonly StoredEvent[],
    epoch: number,
  ): Promise<({ counted: true } & Omit<Counted, 'duplicate'>) | { counted: false; reason: Refusal }> {
    const flight = this.#launch(stored, epoch);
    const verdict = await flight.settled;
    if (verdict.counted === null) throw this.#stopped ?? closedError();
    return verdict.counted ? { ...verdict, stored } : verdict;
  }

  #launch(stored: readonly StoredEvent[], epoch: number): Flight {
    const { stream, append } = stored[0]!;
    const last = stored.at(-1)!;
    const bytes = stored.reduce((sum, event) => sum + sizeOf(event), 0);
    if (bytes > MAX_APPEND_BYTES) {
      throw new DreamfoldError(
        'payload_too_large',
        `An append of ${stored.length} events to ${stream} takes ${bytes} bytes; one request holds ${MAX_APPEND_BYTES}`,
        {
          path: stream,
          value: bytes,
          remedy: 'Append fewer events at a time, or store large parts with log.blobs.put().',
        },
      );
    }
    let settle!: (verdict: FlightVerdict) => void;
    const settled = new Promise<FlightVerdict>((resolve) => (settle = resolve));
    const flight: Flight = {
      stream,
      id: append.id,
      stored,
      hash: last.hash,
      records: null,
      attempt: 0,
      bytes,
      acknowledged: 0,
      settle,
      settled,
    };
    const claimed = stored.findLast((event) => event.class === 'claim')?.epoch;
    const line = this.#lines.get(stream) ?? { head: { seq: 0, hash: '', epoch: 0 }, flights: [] };
    line.head = { seq: last.seq, hash: last.hash, epoch: claimed ?? epoch };
    line.flights.push(flight);
    this.#lines.set(stream, line);
    this.#byHash.set(flight.hash, flight);
    this.#queue.push(flight);
    if (!this.#pumping) void this.#pump();
    return flight;
  }

  async #pump(): Promise<void> {
    this.#pumping = true;
    // What is asked for in the same turn goes out together.
    await Promise.resolve();
    for (let failures = 0; this.#queue.length > 0 && this.#stopped === null;) {
      const group = this.#nextGroup();
      try {
        await this.#encode(group);
        await this.#p.produce(group.flatMap((flight) => flight.records!));
        this.#refusals.hear(null);
        failures = 0;
        const now = this.#p.now();
        for (const flight of group) flight.acknowledged = now;
      } catch (error) {
        if (!(error instanceof ProduceError)) {
          this.#p.onFailed(error as Error);
          break;
        }
        this.#refusals.hear(error);
        // Whether it was written nobody knows. What has no verdict yet goes first again, before what follows it.
        failures += 1;
        this.#queue.unshift(...group.filter((flight) => this.#byHash.get(flight.hash) === flight));
        await pause(jittered(backoffMs(failures + 1, PRODUCE_AGAIN), this.#p.random));
      }
    }
    this.#pumping = false;
  }

  #nextGroup(): Flight[] {
    let bytes = 0;
    let count = 0;
    for (const flight of this.#queue) {
      bytes += flight.bytes;
      if (count > 0 && bytes > REQUEST_BYTES) break;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  async #encode(group: readonly Flight[]): Promise<void> {
    const fresh = group.filter((flight) => flight.records === null);
    if (fresh.length === 0) return;
    for (const flight of fresh) {
      const used = this.#used.get(flight.stream);
      if (used !== undefined) flight.attempt = Math.max(...flight.stored.map(({ seq }) => used.get(seq) ?? 0));
    }
    const encoded = await this.#p.encode(fresh);
    fresh.forEach((flight, i) => {
      flight.records = encoded[i]!;
      // It may have got its verdict meanwhile.
      if (this.#byHash.get(flight.hash) === flight) this.sent.add(flight.stored, flight.records);
    });
  }

  /** Takes the verdict on an append that was read. */
  onFolded({ hash, verdict }: FoldedAppend): void {
    const flight = hash === null ? undefined : this.#byHash.get(hash);
    if (flight === undefined) return;
    if (verdict.counted) this.#settle(flight, verdict);
    else if (isFinal(verdict.reason)) this.#refuse(flight, verdict.reason);
    else if (verdict.reason === 'ahead' && this.#lines.get(flight.stream)!.flights[0] === flight) {
      // What it was put on top of has been refused, and can never count.
      this.#refuse(flight, 'head_passed');
    } else this.#sendAgain([flight]);
  }

  #settle(flight: Flight, verdict: FlightVerdict): void {
    this.#byHash.delete(flight.hash);
    if (flight.records !== null) this.sent.forget(flight.records);
    const line = this.#lines.get(flight.stream)!;
    line.flights.splice(line.flights.indexOf(flight), 1);
    if (line.flights.length === 0) this.#lines.delete(flight.stream);
    flight.settle(verdict);
  }

  /** With it fall those that were put on top of it: their bytes name it as what they follow. */
  #refuse(flight: Flight, reason: Refusal): void {
    const { stream } = flight;
    const { flights } = this.#lines.get(stream)!;
    const fallen = flights.slice(flights.indexOf(flight));
    const hashes = new Set(fallen.map(({ hash }) => hash));
    this.#queue = this.#queue.filter(({ hash }) => !hashes.has(hash));
    this.#useUp(stream, fallen);
    for (const one of fallen.toReversed()) this.#settle(one, { counted: false, reason: one === flight ? reason : 'head_passed' });
  }

  /** What is sent at these seqs from now on takes other keys: those of records that never count are destroyed without those that do. */
  #useUp(stream: string, fallen: readonly Flight[]): void {
    const { seq: head } = this.#p.replica.head(stream);
    const used = new Map([...(this.#used.get(stream) ?? [])].filter(([seq]) => seq > head));
    for (const { stored, attempt } of fallen) {
      for (const { seq } of stored) if (seq > head) used.set(seq, Math.max(used.get(seq) ?? 0, attempt + 1));
    }
    if (used.size > 0) this.#used.set(stream, used);
    else this.#used.delete(stream);
  }

  /** Sends again what was acknowledged and has not come back: a leader that was cut off may have taken it. */
  resendOverdue(): void {
    const limit = this.#p.now() - OVERDUE_MS;
    this.#sendAgain([...this.#byHash.values()].filter(({ acknowledged }) => acknowledged > 0 && acknowledged < limit));
  }

  #sendAgain(flights: readonly Flight[]): void {
    const again = flights.filter((flight) => !this.#queue.includes(flight));
    if (again.length === 0) return;
    for (const flight of again) flight.acknowledged = 0;
    this.#queue.unshift(...again);
    if (!this.#pumping) void this.#pump();
  }

  /** Resolves when every append has its verdict, or the time is over. */
  async drain(timeoutMs: number): Promise<void> {
    const settled = Promise.all([...this.#byHash.values()].map((flight) => flight.settled));
    const over = new AbortController();
    await Promise.race([settled, pause(timeoutMs, null, { signal: over.signal }).catch(() => null)]);
    over.abort();
  }

  /** Gives up on what has no verdict. @param error what its callers get */
  stop(error: DreamfoldError = closedError()): void {
    this.#stopped ??= error;
    this.#queue = [];
    for (const flight of this.#byHash.values()) flight.settle({ counted: null });
    this.#byHash.clear();
    this.#lines.clear();
    this.sent.clear();
  }

  #checkOpen(): void {
    if (this.#stopped !== null) throw this.#stopped;
  }
}

/** An upper bound of what an event takes in a request: envelope twice (its own header and the CloudEvents headers), payload, seal. */
function sizeOf(event: StoredEvent): number {
  return (
    Buffer.byteLength(event.data ?? '') +
    900 +
    3 * (event.stream.length + event.append.id.length + event.type.length + event.actor.length) +
    (event.correlation?.length ?? 0)
  );
}

function closedError(): DreamfoldError {
  return new DreamfoldError('store_unavailable', 'The log was closed before it was known whether the append counts', {
    remedy: 'Open it again and append with the same id: it counts once, and the first result is given.',
  });
}
