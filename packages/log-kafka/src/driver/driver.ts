/** A record to be written. */
export interface DriverRecord {
  key: string;
  value: Uint8Array;
  headers: Readonly<Record<string, string>>;
}

/** Bytes of a header; null where it has no value, a list where its name stands more than once. */
export type HeaderValue = Uint8Array | null | readonly (Uint8Array | null)[];

/** A record as it was read. */
export interface FetchedRecord {
  offset: number;
  /** The partition's leader epoch when it was written. */
  term: number;
  key: Uint8Array | null;
  value: Uint8Array | null;
  headers: Readonly<Record<string, HeaderValue>>;
  /** One of the headers, where the client can read it without the others. */
  header?: (name: string) => HeaderValue | undefined;
}

/** A header of a fetched record, read when it is asked for where the driver can; undefined when the record has none of that name. */
export function headerOf(record: FetchedRecord, name: string): HeaderValue | undefined {
  return record.header === undefined ? record.headers[name] : record.header(name);
}

/** Offsets of a partition: of its first record, and of the next one to come. */
export interface OffsetRange {
  low: number;
  high: number;
}

export interface TopicDescription {
  /** Replicas of each partition. */
  replication: readonly number[];
  settings: Readonly<Record<string, string>>;
}

export interface TopicSpec {
  topic: string;
  partitions: number;
  replication: number;
  settings: Readonly<Record<string, string>>;
}

export interface TailOptions {
  topic: string;
  /** Offset to begin at, of each partition that is followed. */
  from: ReadonlyMap<number, number>;
  /**
   * Called with what was read, in the order of the partition, one batch of a partition at a time; the next waits for it. Offsets that
   * do not follow each other, and repeats after a connection was lost, are passed on as they come: the caller decides what they mean.
   */
  onBatch: (partition: number, records: readonly FetchedRecord[]) => Promise<void> | void;
  /** The connection was lost, or came back. It is tried again without end, with back-off, until `stop`. */
  onConnection?: (connected: boolean, error: Error | null) => void;
  /** `onBatch` threw: the tail has ended. */
  onFailed: (error: Error) => void;
}

export interface Tail {
  /** Goes on at another offset. What was fetched before is not delivered any more. */
  seek(partition: number, offset: number): void;
  stop(): Promise<void>;
}

export interface MembershipOptions {
  /** Name of the consumer group. */
  group: string;
  /** The topic whose partitions are shared out. It holds no records. */
  topic: string;
  /** A member that is silent for so long has lost its partitions. At least 6,000 with the brokers' defaults. */
  sessionTimeoutMs: number;
  /**
   * What this member is to work on from now; also when nothing has changed. Partitions stay with their member where they can.
   * @param wasMember false when the group did not count on it meanwhile: others may have had any partition since the last call
   */
  onAssigned: (partitions: readonly number[], wasMember: boolean) => void;
  /** The group can't be reached; what was assigned may be given to others. Called again with null when it is back. */
  onConnection?: (error: Error | null) => void;
}

export interface Membership {
  leave(): Promise<void>;
}

/**
 * A produce request failed. `written: 'refused'` when a broker answered that it does not take it, `'no'` when none was asked, `'unknown'`
 * when it may have been written all the same.
 */
export class ProduceError extends Error {
  override readonly name = 'ProduceError';
  readonly written: 'refused' | 'no' | 'unknown';

  constructor(message: string, options: { written: 'refused' | 'no' | 'unknown'; cause: unknown }) {
    super(message, { cause: options.cause });
    this.written = options.written;
  }
}

/**
 * What the log needs of a Kafka client: plain produce requests, plain reading, topics, and a consumer group as a hint of who
 * does what. No transactions, no idempotent producer, no committed offsets.
 */
export interface KafkaDriver {
  readonly name: string;
  /** @throws DreamfoldError store_unavailable, with the brokers' addresses, within 10 seconds; permission_denied */
  connect(): Promise<void>;
  /**
   * One produce request with acks=all, tried once.
   * @throws ProduceError
   */
  produce(topic: string, partition: number, records: readonly DriverRecord[]): Promise<void>;
  tail(options: TailOptions): Promise<Tail>;
  /** One range for each partition, null when there is no such topic. */
  offsets(topic: string): Promise<readonly OffsetRange[] | null>;
  describe(topic: string): Promise<TopicDescription | null>;
  /** Creates a topic unless it is there; resolves when its partitions have leaders. */
  createTopic(spec: TopicSpec): Promise<void>;
  /** Number of brokers. */
  brokers(): Promise<number>;
  /** How many members a group counts on, those that are silent for less than its session time-out among them. */
  members(group: string): Promise<number>;
  join(options: MembershipOptions): Promise<Membership>;
  close(): Promise<void>;
}
