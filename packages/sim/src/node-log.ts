import { DreamfoldError, type LogEvent } from '@dreamfold/events';
import {
  EMPTY_HEAD,
  hasSeen,
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
} from '@dreamfold/log';
import { ChangeSignal } from '@dreamfold/log/backend';
import type { Published, SimulatedLog } from './simulated-log.ts';
import type { SimulatedNode } from './simulated-node.ts';

/** What can become of an append on its way, besides taking its time. */
export interface Weather {
  /** How often nobody learns what became of it. */
  lost: number;
  /** How often the node dies as its append counts. */
  fatal: number;
  /** How often it is sent twice. */
  resent: number;
  /** How often a notice takes seconds. */
  late: number;
}

/**
 * A node's own view of the shared log, as a local replica gives it: what others append is seen later, and each partition by itself. An
 * append is acknowledged once it is seen here.
 */
export class NodeLog implements Log {
  readonly capabilities: LogCapabilities;
  readonly logId: string;
  readonly #shared: SimulatedLog;
  readonly #node: SimulatedNode;
  readonly #weather: Weather;
  readonly #seen: number[];
  /** Of each stream, how many events are seen. */
  readonly #reach = new Map<string, number>();
  /** Of each partition, what is on its way here, and when the last of it comes. */
  readonly #coming: { published: Published[]; last: number }[];
  readonly #changes = new ChangeSignal();
  readonly #watchers = new Set<LogWatcher>();
  /** When the last append reaches the shared log: one connection keeps their order. */
  #sentUntil = 0;

  /** @param place the node's place among the others: the one that had it before has ended */
  constructor(shared: SimulatedLog, node: SimulatedNode, { weather, place }: { weather: Weather; place: string }) {
    this.#shared = shared;
    this.#node = node;
    this.#weather = weather;
    this.logId = shared.logId;
    const { length: partitions } = shared.partitions;
    this.capabilities = { name: 'simulated', survives: { process: true, power: true }, shared: true, partitions };
    this.#seen = shared.partitions.map(({ length }) => length);
    for (const [stream, events] of shared.streams) this.#reach.set(stream, events.length);
    this.#coming = shared.partitions.map(() => ({ published: [], last: 0 }));
    this.partitions = {
      node: place,
      join: (work, onAssigned) => node.world.groups[work].join(node, onAssigned),
    };
    node.onEnd(shared.listen((published) => this.#send(published)));
  }

  /** What one append wrote comes here after a while, in the order of its partition. */
  #send(published: Published): void {
    const { time, chance } = this.#node.world;
    const coming = this.#coming[published.partition]!;
    const lagMs = chance.happens(this.#weather.late) ? chance.between(100, 8_000) : chance.between(0, 20);
    coming.last = Math.max(coming.last, time.now() + lagMs);
    coming.published.push(published);
    time.after(coming.last - time.now(), () => this.#node.perform(() => this.#see(coming.published.shift()!)));
  }

  #see({ partition, ordinal, notice }: Published): void {
    this.#seen[partition] = ordinal;
    this.#reach.set(notice.stream, notice.seq);
    for (const { onAppended } of this.#watchers) onAppended(notice);
    this.#changes.notify();
  }

  append(request: AppendRequest): Promise<Appended> {
    const { time, chance } = this.#node.world;
    this.#sentUntil = Math.max(this.#sentUntil, time.now() + chance.between(0, 10));
    const isLost = chance.happens(this.#weather.lost);
    // One that is lost counts all the same, half the time.
    const counts = !isLost || chance.happens(0.5);
    const isFatal = chance.happens(this.#weather.fatal);
    const isResent = chance.happens(this.#weather.resent);
    const answer = (then: () => void): void => {
      time.after(chance.between(0, 10), () => this.#node.perform(then));
    };
    return new Promise((resolve, reject) => {
      const arrive = async (): Promise<void> => {
        try {
          if (isLost) this.#node.say(`an append to ${request.stream} is lost, ${counts ? 'and counts' : 'and does not count'}`);
          let appended = counts ? await this.#shared.append(request) : null;
          if (isFatal) this.#node.end(`is killed as its append to ${request.stream} counts`);
          // The second answer is that of the first, and says so.
          if (appended !== null && isResent) appended = await this.#shared.append(request);
          if (appended === null || isLost) return answer(() => reject(unavailable()));
          const counted = appended;
          answer(() => void this.waitFor(counted.position).then(() => this.#acknowledge(request, counted, resolve)));
        } catch (error) {
          answer(() => void this.#untilCurrent(request.stream).then(() => reject(error as Error)));
        }
      };
      time.after(this.#sentUntil - time.now(), () => void arrive());
    });
  }

  /** Who is refused has read what was faster. */
  async #untilCurrent(stream: string): Promise<void> {
    const last = this.#shared.streams.get(stream)?.at(-1);
    if (last !== undefined) await this.waitFor(last.position);
  }

  #acknowledge(request: AppendRequest, appended: Appended, resolve: (appended: Appended) => void): void {
    this.#node.world.acknowledged.push({ stream: request.stream, ids: appended.events.map(({ id }) => id) });
    resolve(appended);
  }

  async head(stream: string): Promise<Head> {
    const seq = this.#reach.get(stream) ?? 0;
    return seq === 0 ? EMPTY_HEAD : { seq, hash: this.#shared.streams.get(stream)![seq - 1]!.hash, epoch: 0 };
  }

  async *read(stream: string, { from = 1, to = Number.POSITIVE_INFINITY }: ReadOptions = {}): AsyncGenerator<readonly LogEvent[], void> {
    await this.#node.breathe();
    const batch = (this.#shared.streams.get(stream) ?? []).slice(from - 1, Math.min(to, this.#reach.get(stream) ?? 0));
    if (batch.length > 0) yield batch;
  }

  async *streams(kind?: string): AsyncGenerator<readonly StreamInfo[], void> {
    const names = [...this.#reach.keys()].filter((name) => kind === undefined || name.startsWith(`${kind}/`));
    for (const stream of names) yield [{ stream, head: await this.head(stream) }];
  }

  async *subscribe({ after, stream, signal }: SubscribeOptions): AsyncGenerator<readonly LogEvent[], void> {
    const cursor = [...after];
    while (!signal.aborted) {
      const batch = this.#between(cursor, this.#seen).filter((event) => stream === undefined || event.stream === stream);
      for (const [i, seen] of this.#seen.entries()) cursor[i] = Math.max(cursor[i]!, seen);
      if (batch.length > 0) yield batch;
      else await this.#changes.wait(signal);
    }
  }

  watch(watcher: LogWatcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  async *readRange(after: Cursor, through: Cursor): AsyncGenerator<readonly LogEvent[], void> {
    await this.#node.breathe();
    const batch = this.#between(after, through);
    if (batch.length > 0) yield batch;
  }

  #between(after: Cursor, through: Cursor): LogEvent[] {
    return this.#shared.partitions.flatMap((events, i) => events.slice(after[i], Math.max(after[i]!, through[i]!)));
  }

  async cursor(): Promise<Cursor> {
    return [...this.#seen];
  }

  async waitFor(position: number, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    while (!hasSeen(this.#seen, position)) {
      signal?.throwIfAborted();
      await this.#changes.wait(signal);
    }
  }

  readonly partitions: Partitions;

  readonly blobs: Blobs = { put: (bytes) => this.#shared.blobs.put(bytes), get: absent('blobs.get') };
  readonly erasure: Erasure = { erase: absent('erasure.erase'), since: absent('erasure.since') };
  readonly archive: Archive = {
    readStored: absent('archive.readStored'),
    restore: absent('archive.restore'),
    verify: absent('archive.verify'),
  };

  findStreams = absent('findStreams');

  async close(): Promise<void> {}
}

function absent(method: string): () => never {
  return () => {
    throw new TypeError(`The simulated log has no ${method}`);
  };
}

function unavailable(): DreamfoldError {
  return new DreamfoldError('store_unavailable', 'No broker has answered', { remedy: 'Open it again.' });
}
