import type { LogEvent, NewEvent, StoredEvent } from '@dreamfold/events';
import type { Cursor } from './cursor.ts';
import type { SetAside } from './rule/replica.ts';

/** Where a stream stands: its last event, or seq 0 and hash '0' for a stream without events. */
export interface Head {
  seq: number;
  hash: string;
  /** Epoch of the newest claim, 0 when nobody has claimed it. */
  epoch: number;
}

export interface AppendRequest {
  stream: string;
  /** Derived from the cause, so that a retry counts once: also the id of the first event. */
  id: string;
  /** The seq of the head that the decision was made on; 'any' only for events that commute (class `open`). */
  expected: number | 'any';
  /**
   * The id of an append that was sent before this one and may not be acknowledged yet: this one counts only on top of it. Needed
   * because another writer's append can end at the seq that is expected.
   */
  follows?: string;
  events: readonly NewEvent[];
  /** The epoch under which `owner` events are written, or the new one for a `claim`. */
  epoch?: number;
  correlation?: string;
  /** Milliseconds since 1970; the log's clock when left out. */
  time?: number;
}

export interface Appended {
  head: Head;
  /** The position of the last event in the whole log; a reader elsewhere can wait for it. */
  position: number;
  events: readonly LogEvent[];
  /** True when an append with this id had counted before; `events` are then those of the first one. */
  duplicate: boolean;
}

/** An append that has come to stand on the log. */
export interface AppendNotice {
  stream: string;
  /** Of its last event. */
  seq: number;
  /** Made when they are looked at: who only asks where a stream stands pays nothing for them. */
  readonly events: readonly LogEvent[];
}

export interface LogWatcher {
  /** Once for each append, or for a part of one that somebody else has written, in the order of their partition. */
  onAppended: (notice: AppendNotice) => void;
  /** The log cannot be followed any further. */
  onFailed: (error: unknown) => void;
}

export interface ReadOptions {
  /** First seq wanted, default 1. */
  from?: number;
  /** Last seq wanted, default the head. */
  to?: number;
}

export interface SubscribeOptions {
  /** The checkpoint: what it has not seen is given. */
  after: Cursor;
  /** Only this stream. */
  stream?: string;
  signal: AbortSignal;
  /** Waiting for events does not keep the process alive. */
  background?: boolean;
}

/** What was erased of a log since somebody asked last. */
export interface Erasures {
  /** Of now, to be given the next time. It means something where this log is kept, and on no copy or replica elsewhere. */
  mark: string;
  /** The streams with payloads that were erased; null when that is not known, for a mark that this log did not give. */
  streams: readonly string[] | null;
}

export interface StreamInfo {
  stream: string;
  head: Head;
}

/** What a backend can do, as data: the conformance suite skips by it, with the reason. */
export interface LogCapabilities {
  name: string;
  /** What is kept when the process dies, and when the machine does. */
  survives: { process: boolean; power: boolean };
  /** Other processes can append to it at the same time. */
  shared: boolean;
  /** Events of one partition, such as those of one stream, have one order; those of two have none. */
  partitions: number;
}

export interface VerifyReport {
  events: number;
  streams: number;
  /** Payloads that are not there, and something on the log says why. Any other that is missing is a problem. */
  erased: number;
  blobs: number;
  problems: readonly VerifyProblem[];
  /** Of the erased payloads, those that were bad in a file that was imported with `skipBad`. No problem: envelope and hash are there. */
  missing?: readonly { stream: string; seq: number; reason: string }[];
  /** Of a shared log: records that stand in it and are no events of it. No problem: nobody counts them. */
  setAside?: readonly Omit<SetAside, 'bytes'>[];
  /** Of a shared log: folders of replicas that this machine keeps beside the one that is read, where there are any, oldest first. */
  former?: readonly string[];
}

export interface VerifyProblem {
  stream: string | null;
  seq: number | null;
  problem: string;
}

/** Work on a log that several processes share out: to run its sessions, to dream. */
export type SharedWork = 'workers' | 'dreamers';

/**
 * @param partitions what of the log is this member's from now on
 * @param wasMember false when the others did not count on it meanwhile, and may have had any partition since the last call
 */
export type OnAssigned = (partitions: readonly number[], wasMember: boolean) => void;

export interface Membership {
  leave(): Promise<void>;
}

/** What is too large for an event, kept by its hash. */
export interface Blobs {
  /**
   * Resolves when the bytes are kept; bytes that are here already are kept once.
   * @throws DreamfoldError store_full, store_read_only
   */
  put(bytes: Uint8Array): Promise<{ sha256: string; size_bytes: number }>;
  /** @returns null when nothing with this hash is kept */
  get(sha256: string): Promise<Uint8Array | null>;
}

/** Payloads to erase, of events of one stream that have one. */
export interface ErasureRequest {
  seqs?: readonly number[];
  ids?: readonly string[];
  /** Why: up to 500 characters that hold nothing of what is erased. It stays on the log. */
  reason: string;
  /** Who asks for it. */
  by?: string;
}

/** The events whose payloads were erased: those that had one before. */
export interface Erased {
  events: readonly { seq: number; id: string }[];
}

/** Taking payloads out of a log of which nothing else is ever changed. */
export interface Erasure {
  /**
   * Appends `log.erased`, which takes the payloads of the events that it names out of the log wherever it is read; envelope and chain
   * stay, and verify still passes. An erasure, and what stands in the log's own streams, can't be erased.
   * @throws DreamfoldError invalid_argument for the log's own streams, store_read_only, and those of `append`
   */
  erase(stream: string, request: ErasureRequest): Promise<Erased>;
  /**
   * Which streams had payloads erased, by this handle or by another, for whoever keeps something of the log elsewhere.
   * @param mark the one that was given before; null to begin with
   */
  since(mark: string | null): Promise<Erasures>;
}

/** The log byte for byte, for whoever carries it elsewhere or checks that it is whole. */
export interface Archive {
  /** The bytes as they are stored, with the whole envelope. A batch ends where an append does. */
  readStored(stream: string, options?: ReadOptions): AsyncIterable<readonly StoredEvent[]>;
  /**
   * Adds events that have been stored elsewhere, byte for byte: the whole stream, or what follows this log's head.
   * All or nothing per call. Events that are here already, with the same hash, are passed over.
   * @throws DreamfoldError hash_mismatch, head_conflict (the stream here went another way)
   */
  restore(events: readonly StoredEvent[]): Promise<{ added: number }>;
  /**
   * Checks every hash, chain, gap and blob, and that what is missing is missing for a reason that the log knows. Memory does not grow with
   * the log.
   */
  verify(onProgress?: (done: number, total: number) => void): Promise<VerifyReport>;
}

/** The partitions of a log, as those share them out who work on it. */
export interface Partitions {
  /** Names this process's place among the nodes of the log, on one machine: whoever had it before has ended. */
  readonly node: string;
  /**
   * Joins those that share out a kind of work. What it says is a hint: what counts on the log decides. Waits for brokers that are away,
   * and for a group that does not answer.
   * @param signal gives up the wait for a place
   * @throws DreamfoldError permission_denied; what the signal is aborted with
   */
  join(work: SharedWork, onAssigned: OnAssigned, signal?: AbortSignal): Promise<Membership>;
}

/**
 * The event log. An append counts whole or not at all, by the rule in rule.ts; everything else is reading.
 * Batches of reads are arrays of at most a few hundred events, so that a long stream never stands in memory.
 */
export interface Log {
  readonly capabilities: LogCapabilities;
  readonly logId: string;
  /** Where this handle keeps the log, or its replica; absent for one in memory. What is derived from it may stand there. */
  readonly directory?: string;
  readonly blobs: Blobs;
  readonly erasure: Erasure;
  readonly archive: Archive;
  /** Absent where there is nobody to share with. */
  readonly partitions?: Partitions;

  /**
   * Resolves when the append counts and is stored.
   * @throws DreamfoldError head_conflict (path: the stream, value: the head's seq), fenced, expected_head_required,
   * idempotency_conflict (the id was used for other events), payload_too_large, invalid_event, unknown_event_type,
   * store_full, store_read_only
   */
  append(request: AppendRequest): Promise<Appended>;

  head(stream: string): Promise<Head>;
  read(stream: string, options?: ReadOptions): AsyncIterable<readonly LogEvent[]>;
  /** Streams of a partition in the order of their first event, one partition after the other. `kind` is the part of the name before the slash. */
  streams(kind?: string): AsyncIterable<readonly StreamInfo[]>;
  /**
   * Names of streams that begin with a prefix, in their order: of text, character by character.
   * @param limit how many are wanted at most; the work grows with it, and not with the log
   */
  findStreams(prefix: string, limit: number): Promise<readonly string[]>;
  /** Everything after a cursor, then live, each partition in its order, without gap or repeat. Ends with the signal. */
  subscribe(options: SubscribeOptions): AsyncIterable<readonly LogEvent[]>;
  /**
   * Tells of what comes to stand on the log from now on: what this handle appends as soon as it counts, what others append
   * soon after. Keeps no process alive.
   * @returns what ends it
   */
  watch(watcher: LogWatcher): () => void;
  /**
   * What lies between two cursors, one partition after the other, each in its order.
   * @param through a cursor that this handle gave, or one whose events it has
   */
  readRange(after: Cursor, through: Cursor): AsyncIterable<readonly LogEvent[]>;
  /** What this handle has of the log. */
  cursor(): Promise<Cursor>;
  /**
   * Resolves when this handle has the event at a position: what another handle has appended may take a moment to get here.
   * @throws DreamfoldError invalid_cursor, store_unavailable when the log is closed meanwhile; the signal's reason
   */
  waitFor(position: number, options?: { signal?: AbortSignal }): Promise<void>;
  close(): Promise<void>;
}
