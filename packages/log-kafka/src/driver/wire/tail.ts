import { setTimeout as delay } from 'node:timers/promises';
import { backoffMs } from '@dreamfold/core/backoff';
import { isDreamfoldError } from '@dreamfold/events';
import { DEFAULT_CONNECT_TIMEOUT_MS, type ClientConfig } from '../client-config.ts';
import { clientError, protocolError, rootCause } from '../client-error.ts';
import type { FetchedRecord, Tail, TailOptions } from '../driver.ts';
import { jittered } from '../jittered.ts';
import { BrokerError, PASSING } from './broker-error.ts';
import { EARLIEST, fetchCall, offsetsCall, type FetchedPartition } from './calls.ts';
import { Cluster } from './cluster.ts';
import { readBatches } from './fetched-records.ts';

/** Brokers answer as soon as there is a byte; this is how long they hold an empty answer. */
const LONG_POLL_MS = 500;
/** A batch that is larger (max.message.bytes is 8 MiB) comes alone. More at once is not faster, and twice as much is in memory. */
const PARTITION_BYTES = 1024 * 1024;
const FETCH_BYTES = 2 * 1024 * 1024;
/** No longer than Kafka's own clients (reconnect.backoff.max.ms): all that is appended meanwhile waits for it. */
const SEEK_AGAIN = { firstMs: 50, maxMs: 1_000 };
const OFFSET_OUT_OF_RANGE = 1;

interface Position {
  /** Of the first record that was not handed over. */
  next: number;
  /** Of the next one to ask for: what lies between is on its way. */
  asked: number;
  /** Where it was sent. */
  sent: number;
  seeks: number;
  /** `sought` is read by somebody who has had no answer yet. */
  state: 'lost' | 'sought' | 'read';
}

/** Answers of a broker, and how often each partition had been sent elsewhere when it was asked. */
interface Fetched {
  answers: readonly FetchedPartition[];
  seeks: ReadonlyMap<number, number>;
}

/** What came of a partition, unless it was sent elsewhere meanwhile. */
interface Arrived {
  partition: number;
  records: readonly FetchedRecord[];
  next: number;
  seeks: number;
}

/**
 * Follows partitions by fetch requests to their leaders, one loop for each broker on a connection of its own. It asks for what comes
 * next while what came is handed over, and no further. A partition whose reading fails is lost until its leader is found again; the
 * others go on. What was handed over last of it is handed over once more: meanwhile the topic may have become another one. Where an
 * offset is out of range (records were deleted, the topic was made anew) it goes on at the first record that there is: what is missing
 * shows as an offset that does not follow.
 *
 * @throws DreamfoldError store_unavailable, permission_denied
 */
export async function openTail(config: ClientConfig, options: TailOptions): Promise<Tail> {
  const tail = new WireTail(config, options);
  try {
    await tail.start(config.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS);
    return tail;
  } catch (error) {
    await tail.stop();
    throw clientError(error, config.brokers, `following ${options.topic}`);
  }
}

class WireTail implements Tail {
  readonly #options: TailOptions;
  readonly #cluster: Cluster;
  readonly #positions: ReadonlyMap<number, Position>;
  /** Partitions that are read from a broker, by its address. */
  readonly #loops = new Map<string, Set<number>>();
  readonly #stopping = new AbortController();
  readonly #ready = Promise.withResolvers<void>();
  #failure = new Error('no broker answered in time');
  /** Since all partitions were read. */
  #failures = 0;
  #started = false;
  #connected = true;
  #seeking = false;

  constructor(config: ClientConfig, options: TailOptions) {
    this.#options = options;
    this.#cluster = new Cluster(config);
    this.#positions = new Map(
      [...options.from].map(([partition, next]) => [partition, { next, asked: next, sent: next, seeks: 0, state: 'lost' }]),
    );
  }

  /** @throws Error what was met last, when not every partition is read in time */
  async start(timeoutMs: number): Promise<void> {
    const late = setTimeout(() => this.#ready.reject(this.#failure), timeoutMs);
    void this.#seekLost();
    try {
      await this.#ready.promise;
    } finally {
      clearTimeout(late);
    }
  }

  seek(partition: number, offset: number): void {
    const position = this.#positions.get(partition);
    if (position !== undefined) goTo(position, offset);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#cluster.close();
    await Promise.resolve();
  }

  get #ended(): boolean {
    return this.#stopping.signal.aborted;
  }

  get #lost(): number[] {
    return [...this.#positions].filter(([, { state }]) => state === 'lost').map(([partition]) => partition);
  }

  /** Looks for the leaders of what is lost, until nothing is. */
  async #seekLost(): Promise<void> {
    if (this.#seeking) return;
    this.#seeking = true;
    while (!this.#ended && this.#lost.length > 0) {
      await this.#backOff();
      try {
        await this.#assign();
      } catch (error) {
        this.#lose([], error);
      }
    }
    this.#seeking = false;
  }

  async #assign(): Promise<void> {
    const { topic: name } = this.#options;
    const { metadata, topic } = await this.#cluster.topic(name);
    const byLeader = Map.groupBy(this.#lost, (partition) => metadata.brokers.get(topic.partitions[partition]?.leader ?? -1));
    for (const [address, led] of byLeader) if (address !== undefined) this.#read(address, led);
    const [leaderless] = this.#lost;
    if (leaderless !== undefined) throw new Error(`${name}/${leaderless} has no leader`);
  }

  #read(address: string, led: readonly number[]): void {
    const running = this.#loops.get(address);
    const own = running ?? new Set<number>();
    for (const partition of led) {
      const position = this.#positions.get(partition)!;
      position.state = 'sought';
      position.asked = position.next;
      own.add(partition);
    }
    if (running !== undefined) return;
    this.#loops.set(address, own);
    this.#loop(address, own).catch((error: unknown) => {
      this.#loops.delete(address);
      if (isDreamfoldError(error)) this.#fail(error);
      else this.#lose([...own], error);
    });
  }

  /** Reads what a broker leads, until it leads none of it. */
  async #loop(address: string, partitions: Set<number>): Promise<void> {
    let fetching = this.#fetch(address, partitions);
    while (!this.#ended) {
      const arrived = await this.#take(await fetching, { address, partitions });
      if (partitions.size === 0) break;
      fetching = this.#fetch(address, partitions);
      // It may fail before somebody waits for it.
      fetching.catch(() => {});
      await Promise.all(arrived.map(async (one) => await this.#hand(one)));
    }
    this.#loops.delete(address);
  }

  async #fetch(address: string, partitions: ReadonlySet<number>): Promise<Fetched> {
    const asked = [...partitions].map((partition) => ({ partition, position: this.#positions.get(partition)! }));
    const seeks = new Map(asked.map(({ partition, position }) => [partition, position.seeks]));
    const call = fetchCall({
      topic: this.#options.topic,
      from: asked.map(({ partition, position }) => [partition, position.asked]),
      // The first answer says that a partition is read: it is not to wait for a record.
      maxWaitMs: asked.every(({ position }) => position.state === 'read') ? LONG_POLL_MS : 0,
      maxBytes: FETCH_BYTES,
      maxPartitionBytes: PARTITION_BYTES,
    });
    const answers = await this.#cluster.ask(address, call);
    // Known now, also while what came before is still being handed over: that may wait for all to be read.
    for (const { partition, code } of answers) if (code === 0) this.#positions.get(partition)!.state = 'read';
    this.#checkAll();
    return { seeks, answers };
  }

  async #take({ answers, seeks }: Fetched, from: { address: string; partitions: Set<number> }): Promise<Arrived[]> {
    const { topic } = this.#options;
    const arrived: Arrived[] = [];
    for (const { partition, code, batches } of answers) {
      const position = this.#positions.get(partition)!;
      if (position.seeks !== seeks.get(partition)) continue;
      if (code === OFFSET_OUT_OF_RANGE) {
        const first = await this.#cluster.ask(from.address, offsetsCall(topic, [partition], EARLIEST));
        goTo(position, first.get(partition)!);
      } else if (code !== 0) {
        from.partitions.delete(partition);
        this.#lose([partition], new BrokerError(code, `${topic}/${partition}`));
      } else {
        const { records, next } = readBatches(batches, position.asked);
        if (next === null) continue;
        position.asked = next;
        arrived.push({ partition, records, next, seeks: position.seeks });
        // Who has had nothing comes first the next time: a batch that is larger than what is left must begin the answer.
        from.partitions.delete(partition);
        from.partitions.add(partition);
      }
    }
    return arrived;
  }

  async #hand({ partition, records, next, seeks }: Arrived): Promise<void> {
    const position = this.#positions.get(partition)!;
    if (this.#ended || position.seeks !== seeks) return;
    try {
      if (records.length > 0) await this.#options.onBatch(partition, records);
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    if (position.seeks === seeks) position.next = next;
  }

  #checkAll(): void {
    if ([...this.#positions.values()].some(({ state }) => state !== 'read')) return;
    this.#failures = 0;
    this.#started = true;
    this.#ready.resolve();
    this.#tell(null);
  }

  /** A partition that has moved is found at once, or else was not all that is wrong. */
  #lose(partitions: readonly number[], error: unknown): void {
    if (this.#ended) return;
    for (const partition of partitions) {
      const position = this.#positions.get(partition)!;
      if (position.state === 'read') position.next = Math.max(position.sent, position.next - 1);
      position.state = 'lost';
    }
    this.#failure = rootCause(error);
    const type = protocolError(error);
    if (this.#failures > 0 || !PASSING.has(type)) this.#tell(this.#failure);
    if (type?.endsWith('_AUTHORIZATION_FAILED') === true) this.#ready.reject(this.#failure);
    this.#failures += 1;
    void this.#seekLost();
  }

  /** The first time is what `start` waits for, and no news. What a listener throws is not a failure of the tail. */
  #tell(error: Error | null): void {
    if (!this.#started || this.#connected === (error === null)) return;
    this.#connected = error === null;
    queueMicrotask(() => {
      if (!this.#ended) this.#options.onConnection?.(error === null, error);
    });
  }

  #fail(error: Error): void {
    if (this.#ended) return;
    void this.stop().finally(() => this.#options.onFailed(error));
  }

  async #backOff(): Promise<void> {
    if (this.#failures === 0) return;
    try {
      await delay(jittered(backoffMs(this.#failures + 1, SEEK_AGAIN)), undefined, { signal: this.#stopping.signal });
    } catch {
      // Stopped.
    }
  }
}

function goTo(position: Position, offset: number): void {
  position.next = position.asked = position.sent = offset;
  position.seeks += 1;
}
