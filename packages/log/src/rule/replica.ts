import type { LogEvent, StoredEvent } from '@dreamfold/events';
import type { Head, StreamInfo, VerifyReport } from '../port.ts';
import type { ProcessorLock } from '../processor-lock.ts';
import type { Anchor, Refusal } from './rule.ts';
import type { VerifiedLog } from './verify-stream.ts';

/** A record as it stands in a partition of a shared log. `bytes` and `payload` may be made when they are read, so read them only where they are needed. */
export interface PartitionRecord {
  offset: number;
  /** The term in which it was written, 0 where the log has no terms. */
  term: number;
  /** Its bytes as one text: what the anchor and a record that is set aside keep. */
  bytes: string;
  /** What the rule judges: a stored event, or whatever else the bytes are. */
  record: unknown;
  /** The payload, where `record.data` is null because the log holds it sealed. Not looked at by the rule; one whose hash is not `dataHash` is dropped. */
  payload?: string | null;
  /** True for an event that this process has made and found again byte for byte: its hashes are not taken once more. */
  isIntact?: boolean;
  /** Names the key that its payload is sealed with, where the log seals payloads. */
  keyId?: string | null;
}

/** An event that was erased, of a log that seals payloads. */
export interface ErasedEvent {
  seq: number;
  /** When this node first asked what is owed, in ms since 1970: the time of the event itself anybody may have made up. */
  since: number;
  /** Its keys are destroyed, as far as this node knows. */
  isDestroyed: boolean;
  /** Records that count for nobody and hold the same id or the same payload, by the key that each is sealed with and its seq. */
  copies: readonly { keyId: string; seq: number }[];
}

/** What became of the append that ended with a record, or was ended by it. */
export interface FoldedAppend {
  /** Of its last record. */
  offset: number;
  /** Null for what is no event. */
  stream: string | null;
  appendId: string | null;
  /** Hash of its last record: names these bytes among all that carry the same id. Null for what is no event. */
  hash: string | null;
  verdict: { counted: true; head: Head; ordinal: number } | { counted: false; reason: Refusal };
}

/** A record that is no event of this log, kept with its bytes. */
export interface SetAside {
  partition: number;
  offset: number;
  reason: Refusal;
  bytes: string;
}

/**
 * One partition of a shared log, folded into a local database. It counts what the rule counts, in the order of the
 * partition; its position `n` is the partition's n-th event, for every reader the same. It can be deleted and is built again.
 */
export interface PartitionReplica {
  readonly partition: number;
  /** Where it stands on the disk: before a record that begins an append whose rest has not come. */
  anchor(): Anchor;
  /** Offset of the record to fold next: that of the anchor, and what was folded after it and waits for its rest. */
  next(): number;
  /**
   * Folds the next records, in one transaction with the anchor. An append that is not complete is kept in memory only.
   * @param records without gap, the first at `next()`; or at the anchor's offset, to read again what waits for its rest
   * @throws DreamfoldError invalid_argument for a gap, store_locked when another process folds the same replica, store_full, …
   */
  fold(records: readonly PartitionRecord[]): readonly FoldedAppend[];
  /** Number of events. */
  count(): number;
  head(stream: string): Head;
  find(stream: string, appendId: string): { seq: number; n: number } | null;
  /** Number of events of an append that counted, 0 when none did: what the rule asks. */
  appendSize(stream: string, appendId: string): number;
  /** At most a batch. As in all events that a replica gives, `position` is the place in its partition. */
  readStream(stream: string, from: number, to: number): LogEvent[];
  /** At most a batch, which ends where an append does. */
  readStored(stream: string, from: number, to: number): StoredEvent[];
  epochAt(stream: string, seq: number): number;
  hashAt(stream: string, seq: number): string | null;
  /** The next events after an ordinal, at most a batch. */
  readAfter(ordinal: number): LogEvent[];
  /** The same, of one stream. */
  readStreamAfter(stream: string, ordinal: number): LogEvent[];
  streams(kind?: string): AsyncIterable<readonly StreamInfo[]>;
  findStreams(prefix: string, limit: number): readonly string[];
  /**
   * Streams with erased events whose keys may be left, of those that were known by a time.
   * @param now what is new is known from now on, in ms since 1970
   */
  owingKeys(now: number, knownBy: number): readonly string[];
  /** All erased events of a stream, by their seq. */
  erasedEvents(stream: string): readonly ErasedEvent[];
  /** Notes that the keys of erased events are destroyed. */
  settleKeys(stream: string, seqs: readonly number[]): void;
  /** Streams with erased payloads since a mark, 0 for the beginning; null for a mark that it did not give. */
  erasedSince(mark: number): { mark: number; streams: readonly string[] } | null;
  /** @param log what the rest of the log knows: see {@link VerifiedLog} */
  verify(log: Pick<VerifiedLog, 'skipped' | 'hasBlob'> & { onProgress?: (done: number, total: number) => void }): Promise<VerifyReport>;
  /** Records that were broken or torn, oldest first; of a record longer than a MiB, its beginning. */
  setAside(): Iterable<SetAside>;
  close(): void;
}

/** A part of a blob, as it came from the log. */
export interface BlobChunk {
  sha256: string;
  /** Names the put that it belongs to: parts of two puts of the same blob are never mixed. */
  put: string;
  /** Its number, from 0. */
  chunk: number;
  /** How many there are in this put. */
  chunks: number;
  bytes: Uint8Array;
  /** Where it stood. */
  offset: number;
}

/** What a node keeps of a shared log beside the events: blobs, the keys that payloads are sealed with, and how far it has read of each. */
export interface SideStore {
  getBlob(sha256: string): Uint8Array | null;
  hasBlob(sha256: string): boolean;
  /** Number of those that are whole. */
  blobs(): number;
  /**
   * Keeps a part of a blob that is not whole; of two parts of a put with the same number the first stays. With its last part a put is
   * the blob, and other puts of it are forgotten; one that does not come to its hash is forgotten itself.
   */
  addChunk(chunk: BlobChunk): void;
  /** Drops puts that are not whole, those first that have waited longest for their next part, until all take at most so many bytes. */
  dropChunks(mostBytes: number): void;
  /** Puts of which a part is missing. */
  incompletePuts(): { puts: number; sizeBytes: number };
  putKey(id: string, value: string): void;
  getKey(id: string): string | null;
  /** Ids that begin with a prefix. */
  keyIds(prefix: string): string[];
  offset(topic: string): number;
  setOffset(topic: string, offset: number): void;
  /** Whatever the run does is one transaction. */
  transaction<T>(run: () => T): T;
  close(): void;
}

/** How far a replica is. */
export interface ReplicaStatus {
  /** Of each: the offset of the next record, and how many records it has set aside. */
  partitions: readonly { partition: number; offset: number; setAside: number }[];
  incompletePuts: { puts: number; sizeBytes: number };
}

/** Where a node keeps what it has of a shared log. Each directory is made when its parent exists, unless it is only read. */
export interface ReplicaStorage {
  /** Where another thread finds it: a module that it can import, and the name of its export. Null for one that only this thread has. */
  readonly source: { module: string; name: string } | null;
  /**
   * @param options.readOnly also beside a process that folds into it: what that adds is seen
   * @throws DreamfoldError store_corrupt: delete the directory, and fold the partition again; store_full, store_read_only, store_locked
   */
  openPartition(options: {
    directory: string;
    partition: number;
    inPartition?: (stream: string) => boolean;
    readOnly?: boolean;
  }): PartitionReplica;
  /** @throws DreamfoldError store_corrupt: delete the directory, and read the topics again */
  openSide(options: { directory: string; readOnly?: boolean }): SideStore;
  /** Looks at a replica, beside whoever has it open. @throws DreamfoldError store_corrupt, store_unavailable */
  inspect(directory: string): ReplicaStatus;
  /** Takes a directory for this process. @throws DreamfoldError store_locked, store_read_only, store_full, store_unavailable */
  lock(directory: string): Promise<ProcessorLock>;
}
