import { rmSync } from 'node:fs';
import {
  driverFor,
  openKafkaLog,
  parseKafkaUrl,
  type DriverRecord,
  type FetchedRecord,
  type KafkaDriver,
  type KafkaLog,
  type KafkaPlace,
} from '@dreamfold/log-kafka';
import { sqliteReplicas } from '@dreamfold/log/sqlite';

/** A log over one driver, and beside it a client of the same driver, with a topic that is no log's. */
export class MeasuredLog {
  readonly driver: KafkaDriver;
  readonly place: KafkaPlace;
  /** Made with the settings of the events' topic. */
  readonly rawTopic: string;
  readonly #open: () => Promise<KafkaLog>;
  #log: KafkaLog | null = null;
  /** Where the replica stands, also while the log is closed. */
  #replica = '';

  constructor({ url, directory, makeDriver }: { url: string; directory: string; makeDriver: (place: KafkaPlace) => KafkaDriver }) {
    this.place = parseKafkaUrl(url);
    this.driver = makeDriver(this.place);
    this.rawTopic = `${this.place.prefix}.raw`;
    // A log that names its driver catches up in one thread.
    const driver = makeDriver === driverFor ? {} : { driver: makeDriver };
    this.#open = () => openKafkaLog({ url, directory, storage: sqliteReplicas, ...driver });
  }

  async start(): Promise<void> {
    this.#log = await this.#open();
    await this.driver.connect();
    const { events } = this.place.topics;
    const { replication, settings: all } = (await this.driver.describe(events))!;
    const kept = ['message.timestamp.type', 'max.message.bytes', 'min.insync.replicas'].map((name) => [name, all[name]!] as const);
    const settings = Object.fromEntries(kept);
    await this.driver.createTopic({ topic: this.rawTopic, partitions: replication.length, replication: replication[0]!, settings });
  }

  get log(): KafkaLog {
    if (this.#log === null) throw new RangeError('the log is not open');
    return this.#log;
  }

  async closeLog(): Promise<void> {
    await this.#log?.close();
    this.#log = null;
  }

  /** Builds the replica again from nothing. @returns ms that it took, and the events that are in it */
  async rebuild(): Promise<{ ms: number; events: number }> {
    if (this.#log !== null) this.#replica = this.#log.directory;
    const directory = this.#replica;
    await this.closeLog();
    rmSync(directory, { recursive: true });
    const start = performance.now();
    const log = (this.#log = await this.#open());
    const ms = performance.now() - start;
    return { ms, events: (await log.cursor()).reduce((sum, count) => sum + count, 0) };
  }

  /** What stands in the log's topic, by partition, to be produced again elsewhere: the first records that are sealed. */
  async records(): Promise<DriverRecord[][]> {
    const topic = this.place.topics.events;
    const ranges = (await this.driver.offsets(topic))!;
    const found: DriverRecord[][] = ranges.map(() => []);
    const missing = new Set(ranges.keys());
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const tail = await this.driver.tail({
      topic,
      from: new Map(ranges.map((_, partition) => [partition, 0])),
      onFailed: reject,
      onBatch: (partition, fetched) => {
        found[partition]!.push(...fetched.filter(({ headers }) => headers['df_seal'] !== undefined).map(asSent));
        if (fetched.at(-1)!.offset + 1 >= ranges[partition]!.high) missing.delete(partition);
        if (missing.size === 0) resolve();
      },
    });
    await promise;
    await tail.stop();
    return found;
  }

  async close(): Promise<void> {
    await this.closeLog();
    await this.driver.close();
  }
}

function asSent({ key, value, headers }: FetchedRecord): DriverRecord {
  const text = (bytes: unknown): string => Buffer.from(bytes as Uint8Array).toString();
  return {
    key: text(key),
    value: value!,
    headers: Object.fromEntries(Object.entries(headers).map(([name, bytes]) => [name, text(bytes)])),
  };
}
