import type { LogEvent } from '@dreamfold/events';
import { openMemoryLog, positionOf, type Appended, type AppendNotice, type AppendRequest, type Blobs } from '@dreamfold/log';

/** What came onto a partition with one append. */
export interface Published {
  partition: number;
  /** How many events the partition has with it. */
  ordinal: number;
  notice: AppendNotice;
}

/**
 * What the brokers of a shared log hold: the rule of acceptance is that of the log in memory, and each stream has one of several
 * partitions. Nodes see it through a `NodeLog` of their own, later.
 */
export class SimulatedLog {
  readonly partitions: readonly LogEvent[][];
  readonly streams = new Map<string, LogEvent[]>();
  readonly logId: string;
  readonly #log;
  readonly #listeners = new Set<(published: Published) => void>();

  constructor(clock: () => number, partitions: number) {
    this.#log = openMemoryLog({ clock });
    this.logId = this.#log.logId;
    this.partitions = Array.from({ length: partitions }, () => []);
  }

  partitionOf(stream: string): number {
    let hash = 0;
    for (let i = 0; i < stream.length; i += 1) hash = (Math.imul(hash, 31) + stream.charCodeAt(i)) >>> 0;
    return hash % this.partitions.length;
  }

  /** Tells of each append that counts, as it does. */
  listen(listener: (published: Published) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @throws DreamfoldError as the append of a log does */
  async append(request: AppendRequest): Promise<Appended> {
    const answer = await this.#log.append(request);
    const { stream } = request;
    const known = this.streams.get(stream) ?? [];
    if (answer.duplicate) {
      const events = answer.events.map(({ seq }) => known[seq - 1]!);
      return { ...answer, events, position: events.at(-1)!.position };
    }
    const partition = this.partitionOf(stream);
    const all = this.partitions[partition]!;
    const events = answer.events.map((event, i) => ({
      ...event,
      position: positionOf(partition, all.length + 1 + i, this.partitions.length),
    }));
    all.push(...events);
    this.streams.set(stream, known);
    known.push(...events);
    const published = { partition, ordinal: all.length, notice: { stream, seq: answer.head.seq, events } };
    for (const listener of this.#listeners) listener(published);
    return { ...answer, events, position: events.at(-1)!.position };
  }

  get blobs(): Blobs {
    return this.#log.blobs;
  }
}
