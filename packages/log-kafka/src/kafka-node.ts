import { DreamfoldError, isDreamfoldError, type StoredEvent } from '@dreamfold/events';
import type { Time } from '@dreamfold/log';
import { ChangeSignal, type ErasedEvent, type PartitionRecord, type PartitionReplica, type SideStore } from '@dreamfold/log/backend';
import { BlobTopic } from './topics/blob-topic.ts';
import type { DriverRecord, FetchedRecord, KafkaDriver, OffsetRange, Tail } from './driver/driver.ts';
import type { NodePartition } from './kafka-log.ts';
import { KeyRing } from './erasure/key-ring.ts';
import { PartitionFollower, divergedError } from './partition/partition-follower.ts';
import { partitionOf } from './partition/partition-of.ts';
import { PartitionWriter } from './partition/partition-writer.ts';
import { DecodedRecord, decodeRecord, encodeRecord } from './partition/record-codec.ts';
import { SetAsideNotices } from './partition/set-aside-notices.ts';
import type { SentRecords } from './partition/sent-records.ts';
import { rangesOf } from './topics/topics.ts';

/** How often the topic is compared with what was read of it. */
const CHECK_MS = 5_000;

/** How often a node looks for keys that are due to be destroyed, and for records of the keys' topic that are not what they should be. */
const SETTLE_MS = 5_000;

/** A topic that is not there at two checks was deleted. */
const MISSING_MS = 4_000;

/** What happens to a node that its operator should hear of. */
export interface LogNotice {
  kind: 'disconnected' | 'refused' | 'connected' | 'set_aside' | 'rebuilding' | 'accepted' | 'settings' | 'failed';
  message: string;
}

/** Tells that the brokers refuse what is written to a place, and that they take it again. */
export function tellRefused(place: string, onNotice: (notice: LogNotice) => void): (error: Error | null) => void {
  return (error) => {
    const message =
      error === null
        ? `The brokers take what is written to ${place} again.`
        : `The brokers refuse what is written to ${place}: ${error.message}. It is tried again until they take it.`;
    onNotice({ kind: error === null ? 'connected' : 'refused', message });
  };
}

export interface NodeParts {
  driver: KafkaDriver;
  topics: { events: string; keys: string; blobs: string };
  replicas: readonly PartitionReplica[];
  store: SideStore;
  now: () => number;
  after: Time['after'];
  random: () => number;
  onNotice: (notice: LogNotice) => void;
}

/** A node of the log: follows every partition into its replica, and writes to them. */
export class KafkaNode {
  readonly changes = new ChangeSignal();
  readonly partitions: readonly (NodePartition & { writer: PartitionWriter })[];
  readonly keys: KeyRing;
  readonly blobs: BlobTopic;
  /** What the log's genesis says; unknown before it was read. */
  logId = '';
  sealing = false;
  readonly #p: NodeParts;
  readonly #followers: readonly PartitionFollower[];
  readonly #setAside: SetAsideNotices;
  #tail: Tail | null = null;
  #check: NodeJS.Timeout | undefined;
  #onFailed: (error: DreamfoldError) => void = () => {};
  #failure: DreamfoldError | null = null;
  #stopped = false;
  #missingSince: number | null = null;
  /** The last round of {@link settleKeys}: the next one waits for it. */
  #settling: Promise<void> = Promise.resolve();
  #takeBack = (): void => {};

  constructor(parts: NodeParts) {
    this.#p = parts;
    const { driver, replicas, store, topics, onNotice } = parts;
    this.#setAside = new SetAsideNotices((message) => onNotice({ kind: 'set_aside', message }));
    this.partitions = replicas.map((replica) => ({ replica, writer: this.#writerOf(replica) }));
    const onFailed = (error: Error): void => this.#fail(error);
    const erasedOf = (stream: string): readonly ErasedEvent[] => replicas[partitionOf(stream, replicas.length)]!.erasedEvents(stream);
    const side = (topic: string) => ({ driver, topic, store, onFailed, onRefused: tellRefused(topic, parts.onNotice) });
    this.keys = new KeyRing({ ...side(topics.keys), erasedOf });
    this.blobs = new BlobTopic(side(topics.blobs));
    this.#followers = this.partitions.map((partition) => this.#followerOf(partition));
  }

  #writerOf(replica: PartitionReplica): PartitionWriter {
    const { driver, topics, now, random, onNotice } = this.#p;
    return new PartitionWriter({
      replica,
      encode: (appends) => this.#encode(appends),
      produce: (records) => driver.produce(topics.events, replica.partition, records),
      catchUp: () => this.catchUp(replica.partition),
      onRefused: tellRefused(`${topics.events}/${replica.partition}`, onNotice),
      onFailed: (error) => this.#fail(error),
      now,
      random,
    });
  }

  #followerOf({ replica, writer }: KafkaNode['partitions'][number]): PartitionFollower {
    return new PartitionFollower({
      topic: this.#p.topics.events,
      replica,
      decode: (records) => this.#decode(writer.sent, records),
      onFolded: (folded) => {
        for (const one of folded) writer.onFolded(one);
        this.changes.notify();
      },
      onSetAside: (at) => this.#setAside.add({ partition: replica.partition, ...at }),
      seek: (partition, offset) => this.#tail?.seek(partition, offset),
    });
  }

  /** What says that payloads were erased is not sealed: whoever has lost the keys can read it. */
  #isSealed({ stream, type }: StoredEvent): boolean {
    return this.sealing && !stream.startsWith('log/') && type !== 'log.erased';
  }

  async #encode(appends: readonly { stored: readonly StoredEvent[]; attempt: number }[]): Promise<DriverRecord[][]> {
    const placed = appends.map(({ stored, attempt }) => ({ stored, place: { stream: stored[0]!.stream, attempt } }));
    await this.keys.prepare(placed.flatMap(({ stored, place }) => (stored.some((event) => this.#isSealed(event)) ? [place] : [])));
    return placed.map(({ stored, place }) =>
      stored.map((event) => {
        if (!this.#isSealed(event) || event.data === null) return encodeRecord(event, { logId: this.logId });
        return encodeRecord(event, { logId: this.logId, seal: this.keys.sealingKey(place, event.seq) });
      }),
    );
  }

  async #decode(sent: SentRecords, records: readonly FetchedRecord[]): Promise<PartitionRecord[]> {
    const options = { keyOf: (id: string, seq: number) => this.keys.keyOf(id, seq) };
    const decoded = records.map((record) => sent.find(record) ?? decodeRecord(record, options));
    const keyIds = new Set<string>();
    for (const record of decoded) if (record instanceof DecodedRecord && record.keyId !== null) keyIds.add(record.keyId);
    await this.keys.learn(keyIds);
    return decoded;
  }

  /** Settles the keys again and again from now on, the first time at once. @param delayMs between an erasure and the end of its keys */
  keepKeys(delayMs: number): void {
    const again = (): void => {
      if (this.#stopped || this.#failure !== null) return;
      this.#takeBack = this.#p.after(SETTLE_MS, settle, { background: true });
    };
    const settle = (): void => {
      this.settleKeys(delayMs)
        .catch((error: unknown) => {
          // The brokers are away: the next round does it.
          if (!isDreamfoldError(error, 'store_unavailable')) this.#fail(error as Error);
        })
        .finally(again);
    };
    settle();
  }

  /**
   * Destroys the keys of what was erased so long ago, whoever has erased it, and writes over what of the keys' topic is not what the log
   * allows.
   * @throws DreamfoldError store_unavailable
   */
  async settleKeys(delayMs: number): Promise<void> {
    const settled = this.#settling.then(() => this.#settleOnce(delayMs));
    this.#settling = settled.catch(() => {});
    return settled;
  }

  async #settleOnce(delayMs: number): Promise<void> {
    const due = this.#p.now() - delayMs;
    // First: what others have destroyed already is taken over, and not destroyed once more.
    if (this.keys.isAmiss) await this.#mendKeys();
    for (const { replica } of this.partitions) {
      for (const stream of replica.owingKeys(this.#p.now(), due)) {
        const events = replica.erasedEvents(stream).filter(({ isDestroyed, since }) => !isDestroyed && since <= due);
        await this.keys.destroy(stream, events);
        const seqs = events.map(({ seq }) => seq);
        if (!this.#stopped) replica.settleKeys(stream, seqs);
      }
    }
  }

  async #mendKeys(): Promise<void> {
    // What stands on the log by now may be the reason.
    for (const partition of this.partitions.keys()) await this.catchUp(partition);
    await this.keys.mend();
  }

  /**
   * Follows the topics, and resolves when all that stands in them now is in the replica.
   * @throws DreamfoldError log_diverged, store_unavailable
   */
  async start(onProgress: (done: number, total: number) => void): Promise<void> {
    const { driver, topics, onNotice } = this.#p;
    const ranges = await this.#checkedRanges();
    const failed = new Promise<never>((_, reject) => (this.#onFailed = reject));
    failed.catch(() => {});
    const ready = Promise.withResolvers<void>();
    const following = driver.tail({
      topic: topics.events,
      from: new Map(this.#followers.map((follower, partition) => [partition, follower.from])),
      onBatch: async (partition, records) => {
        await ready.promise;
        await this.#followers[partition]!.onBatch(records);
      },
      onConnection: (connected, error) => {
        if (this.#stopped) return;
        onNotice(
          connected
            ? { kind: 'connected', message: 'The brokers answer again.' }
            : {
                kind: 'disconnected',
                message: `The brokers do not answer: ${error?.message ?? 'the connection was lost'}. It is tried again.`,
              },
        );
        if (connected) void this.#compare();
      },
      onFailed: (error) => this.#fail(error),
    });
    following.then((tail) => (this.#tail = tail)).catch(() => {});
    // All at once: each asks the brokers for itself.
    const started = await Promise.allSettled([this.keys.start(), this.blobs.start(), following]);
    for (const one of started) {
      if (one.status === 'fulfilled') continue;
      // Whoever waits with a batch of events keeps its connection, and with it the process, until he is told.
      ready.promise.catch(() => {});
      ready.reject(one.reason as Error);
      throw one.reason;
    }
    ready.resolve();
    const total = ranges.reduce((sum, { high }) => sum + high, 0);
    const report = setInterval(() => onProgress(this.#done(), total), 200);
    try {
      await Promise.race([failed, Promise.all(ranges.map(({ high }, partition) => this.#followers[partition]!.reached(high)))]);
      onProgress(this.#done(), total);
    } finally {
      clearInterval(report);
    }
    this.#check = setInterval(() => void this.#compare(), CHECK_MS);
    this.#check.unref();
  }

  /**
   * Brings the keys in the side store up to the end of their topic, and ends.
   * @throws DreamfoldError log_diverged, store_unavailable
   */
  async learnKeys(): Promise<void> {
    try {
      await this.keys.start();
    } finally {
      await this.stop();
    }
  }

  #done(): number {
    return this.#followers.reduce((sum, { next }) => sum + next, 0);
  }

  /** What to do when the node can't go on, from now. */
  onFailed(listener: (error: DreamfoldError) => void): void {
    this.#onFailed = listener;
    if (this.#failure !== null) listener(this.#failure);
  }

  /** Resolves when all that stands in a partition now is in its replica. */
  async catchUp(partition: number): Promise<void> {
    const ranges = await rangesOf(this.#p.driver, this.#p.topics.events);
    await this.#followers[partition]!.reached(ranges[partition]!.high);
  }

  /** A topic that was cut short, created anew, given more partitions or deleted raises no error by itself. */
  async #compare(): Promise<void> {
    try {
      await this.#checkedRanges();
      await this.keys.check();
      await this.blobs.check();
      this.#missingSince = null;
      for (const { writer } of this.partitions) writer.resendOverdue();
    } catch (error) {
      if (isDreamfoldError(error, 'log_diverged')) this.#fail(error);
      else this.#checkMissing(error);
    }
  }

  /** Brokers that do not answer are no divergence, and one that has just started may not know a topic yet. */
  #checkMissing(error: unknown): void {
    const topic = isDreamfoldError(error, 'store_unavailable')
      ? Object.values(this.#p.topics).find((name) => name === error.path)
      : undefined;
    const now = performance.now();
    if (topic === undefined) this.#missingSince = null;
    else if (now - (this.#missingSince ??= now) > MISSING_MS) this.#fail(divergedError(topic, 'it was deleted'));
  }

  async #checkedRanges(): Promise<readonly OffsetRange[]> {
    const folded = this.#followers.map((follower) => follower.folded);
    const ranges = await rangesOf(this.#p.driver, this.#p.topics.events);
    if (ranges.length !== folded.length) {
      throw divergedError(this.#p.topics.events, `it has ${ranges.length} partitions instead of ${folded.length}`);
    }
    ranges.forEach((range, partition) => this.#followers[partition]!.checkRange(range, folded[partition]!));
    return ranges;
  }

  #fail(error: Error): void {
    if (this.#failure !== null || this.#stopped) return;
    this.#failure = isDreamfoldError(error)
      ? error
      : new DreamfoldError('store_unavailable', `The log can't be followed any further: ${error.message}`, {
          path: this.#p.topics.events,
          remedy: 'Open it again.',
          cause: error,
        });
    this.#p.onNotice({ kind: 'failed', message: this.#failure.message });
    this.#onFailed(this.#failure);
    // Nothing is read any more that somebody could wait for.
    for (const { writer } of this.partitions) writer.stop(this.#failure);
    for (const follower of this.#followers) follower.stop();
    void this.blobs.stop(this.#failure);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#check);
    this.#setAside.flush();
    this.#takeBack();
    for (const { writer } of this.partitions) writer.stop();
    for (const follower of this.#followers) follower.stop();
    await Promise.all([this.#tail?.stop(), this.keys.stop(), this.blobs.stop()]);
    await this.#settling;
    for (const { replica } of this.partitions) replica.close();
    this.#p.store.close();
  }
}
