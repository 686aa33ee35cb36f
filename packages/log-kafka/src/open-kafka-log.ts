import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DreamfoldError, isDreamfoldError } from '@dreamfold/events';
import type { ProcessorLock, Time } from '@dreamfold/log';
import { asSystemError, type PartitionReplica, type ReplicaStorage } from '@dreamfold/log/backend';
import { isFarBehind } from './catch-up/lag.ts';
import type { KafkaDriver, Membership, MembershipOptions, OffsetRange } from './driver/driver.ts';
import { driverFor } from './driver/driver-for.ts';
import { ensureGenesis } from './topics/genesis.ts';
import { KafkaLog } from './kafka-log.ts';
import { KafkaNode, setAsideNotice, type LogNotice } from './kafka-node.ts';
import { parseKafkaUrl, type KafkaPlace } from './kafka-url.ts';
import { openPartition } from './partition/open-partition.ts';
import { checkReading } from './catch-up/replica-reading.ts';
import { checkTopics, ensureTopics, noLogError, rangesOf } from './topics/topics.ts';

/** What a slot holds beside its lock. */
const REPLICA = 'replica';

const JOIN_AGAIN_MS = 500;

/** Processes of one machine that each keep a replica in the same directory. */
const MAX_SLOTS = 64;

export interface KafkaLogOptions {
  /** `kafka://host:port[,host:port]/prefix`, with options; see docs/how-to/kafka.md. */
  url: string;
  /** Keeps the replica, under the prefix. It can be deleted while nothing runs, and is built again. */
  directory: string;
  /** How the replica is kept: `sqliteReplicas` of @dreamfold/log/sqlite. */
  storage: ReplicaStorage;
  /** Where user, password and certificate may stand instead of in the URL. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Only look: nothing is made on the brokers, and nothing is written to them. */
  readOnly?: boolean;
  /** Begin no log where there is none. What is opened read-only never does. */
  mustExist?: boolean;
  /** How much of the topic is in the replica, while it catches up. */
  onProgress?: (done: number, total: number) => void;
  onNotice?: (notice: LogNotice) => void;
  clock?: () => number;
  /** Calls back after some time, for what the node does by itself. Default the machine's timers. */
  after?: Time['after'];
  random?: () => number;
  /** Another client than kafkajs. It can't be given to threads, so such a log catches up in one. */
  driver?: (place: KafkaPlace) => KafkaDriver;
}

/**
 * Opens a log on Kafka: creates its topics where they are not there, brings the local replica up to the end of the log, and
 * follows it. A replica that disagrees with the log is built again, and so is one that has set records aside by an older reading.
 * @throws DreamfoldError config_invalid (the URL, a topic's settings), store_unavailable (no broker answers, within 10 seconds),
 * not_found (no log is there, and none is to be begun), permission_denied, log_diverged (the topic lacks its beginning),
 * store_newer_than_code, store_full, store_read_only, invalid_path
 */
export async function openKafkaLog(options: KafkaLogOptions): Promise<KafkaLog> {
  const place = parseKafkaUrl(options.url, options.env ?? {});
  const driver = (options.driver ?? driverFor)(place);
  let slot: Slot | null = null;
  try {
    await driver.connect();
    await (beginsLog(options) ? ensureTopics(driver, place) : checkTopics(driver, place));
    slot = await takeSlot(join(options.directory, place.prefix), options.storage);
    return await openReplica({ options, place, driver, ...slot });
  } catch (error) {
    await driver.close();
    slot?.lock.release();
    throw error;
  }
}

function beginsLog({ readOnly = false, mustExist = false }: KafkaLogOptions): boolean {
  return !readOnly && !mustExist;
}

interface Slot {
  directory: string;
  lock: ProcessorLock;
}

interface Opening extends Slot {
  options: KafkaLogOptions;
  place: KafkaPlace;
  driver: KafkaDriver;
}

/** A replica belongs to one process. The next one on this machine takes the next directory, and goes on where that one stands. */
async function takeSlot(root: string, storage: ReplicaStorage): Promise<Slot> {
  for (let slot = 1; ; slot += 1) {
    const directory = join(root, String(slot));
    makeDirectory(directory);
    try {
      return { directory, lock: await storage.lock(directory) };
    } catch (error) {
      if (!isDreamfoldError(error, 'store_locked') || slot === MAX_SLOTS) throw error;
    }
  }
}

/** With its parents, one by one: `recursive` never returns where the file system makes no directories, as under /proc. */
function makeDirectory(directory: string): void {
  if (existsSync(directory)) return;
  makeDirectory(dirname(directory));
  try {
    mkdirSync(directory);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw asSystemError(cause, { path: directory, what: `The replica of the log can't be kept in ${directory}`, code: 'invalid_path' });
  }
}

async function openReplica(opening: Opening): Promise<KafkaLog> {
  try {
    return await openNode(opening);
  } catch (error) {
    if (!isDreamfoldError(error, 'log_diverged') && !isDreamfoldError(error, 'store_corrupt')) throw error;
    return rebuild(opening, error);
  }
}

/** Where the topics lead nowhere either, what was here stays: it may be the only whole copy of the log. */
async function rebuild(opening: Opening, cause: DreamfoldError): Promise<KafkaLog> {
  const { options, driver, place, directory } = opening;
  await rangesOf(driver, place.topics.events);
  const replica = replicaOf(opening);
  const former = join(directory, `former-${randomUUID().slice(0, 8)}`);
  renameSync(replica, former);
  options.onNotice?.({ kind: 'rebuilding', message: `${cause.message}. The local replica is built again.` });
  try {
    const log = await openNode(opening);
    if (cause.code === 'store_corrupt') rmSync(former, { recursive: true, force: true });
    else options.onNotice?.({ kind: 'rebuilding', message: `The former replica is kept in ${former}; delete it when nobody needs it.` });
    return log;
  } catch (error) {
    rmSync(replica, { recursive: true, force: true });
    renameSync(former, replica);
    throw error;
  }
}

async function openNode(opening: Opening): Promise<KafkaLog> {
  const { options, place, driver, lock } = opening;
  const { clock = Date.now, onProgress = () => {} } = options;
  const { topics } = place;
  const ranges = await rangesOf(driver, topics.events);
  const node = await nearTheEnd(opening, ranges);
  const closing = new AbortController();
  try {
    await node.start(onProgress);
    // Somebody is about to begin it, or was stopped while he did.
    if (!beginsLog(options) && node.partitions.some(({ replica }) => replica.count() === 0)) throw noLogError(place);
    const genesis = await ensureGenesis(node.partitions, { erasure: place.erasure, now: clock() });
    node.logId = genesis.log_id;
    node.sealing = genesis.erasure;
    if (genesis.erasure && options.readOnly !== true) node.keepKeys(place.eraseDelayMs);
    const power = ((await driver.describe(topics.events))?.replication ?? []).every((copies) => copies >= 3);
    const log = new KafkaLog({
      logId: genesis.log_id,
      directory: replicaOf(opening),
      capabilities: { name: 'kafka', survives: { process: true, power }, shared: true, partitions: ranges.length },
      partitions: node.partitions,
      changes: node.changes,
      settleKeys: genesis.erasure ? () => node.settleKeys(place.eraseDelayMs) : null,
      blobs: node.blobs,
      clock,
      join: async (work, onAssigned) => {
        const group = `${place.prefix}.${work}`;
        return joinAtLast(driver, { group, topic: topics.work, sessionTimeoutMs: place.sessionTimeoutMs, onAssigned }, closing.signal);
      },
      readOnly: options.readOnly ?? false,
      release: async () => {
        closing.abort();
        await node.stop();
        await driver.close();
        lock.release();
      },
    });
    node.onFailed((error) => log.fail(error));
    return log;
  } catch (error) {
    await node.stop();
    throw error;
  }
}

/**
 * Joins a group of a log that is open already: brokers that are away meanwhile come back, as for everything else.
 * @throws DreamfoldError as driver.join does, when the brokers answer and the group does not
 */
async function joinAtLast(driver: KafkaDriver, options: MembershipOptions, closing: AbortSignal): Promise<Membership> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await driver.join(options);
    } catch (error) {
      if (!isDreamfoldError(error, 'store_unavailable') || closing.aborted) throw error;
      const doAnswer = await driver.offsets(options.topic).then(
        () => true,
        () => false,
      );
      if (closing.aborted || (doAnswer && tries > 1)) throw error;
      if (!doAnswer) tries = 0;
      await pause(JOIN_AGAIN_MS);
    }
  }
}

/** A node on the replica, which threads have brought up to the ranges when much was missing. */
async function nearTheEnd(opening: Opening, ranges: readonly OffsetRange[]): Promise<KafkaNode> {
  const { options, place } = opening;
  const { onProgress = () => {}, onNotice = () => {} } = options;
  const { source } = options.storage;
  const node = openParts(opening, ranges.length);
  const begins = node.partitions.map(({ replica }) => replica.anchor().offset);
  const ends = ranges.map(({ high }) => high);
  // Another client can't be sent to a thread.
  if (source === null || options.driver !== undefined || !isFarBehind({ begins, ends })) return node;
  const next = [...begins];
  const sum = (offsets: readonly number[]): number => offsets.reduce((total, offset) => total + offset, 0);
  // Threads look for their program beside the file that starts them, so that file is loaded by its place.
  const { catchUpInThreads } = await import('./catch-up/catch-up.ts');
  const caughtUp = await catchUpInThreads({
    ...{ place, directory: replicaOf(opening), source, begins, ends },
    begin: () => node.learnKeys(),
    onFolded: (partition, offset) => {
      next[partition] = offset;
      onProgress(sum(next), sum(ends));
    },
    onSetAside: (at) => onNotice(setAsideNotice(at)),
  });
  return caughtUp ? openParts(opening, ranges.length) : node;
}

function openParts(opening: Opening, partitions: number): KafkaNode {
  const { options, place, driver } = opening;
  const { storage, clock = Date.now, after = afterTimeout, random = Math.random, onNotice = () => {} } = options;
  const directory = replicaOf(opening);
  makeDirectory(directory);
  const replicas: PartitionReplica[] = [];
  const store = storage.openSide({ directory });
  try {
    for (let partition = 0; partition < partitions; partition += 1) {
      replicas.push(openPartition(storage, { directory, partition, partitions }));
    }
    checkReading(directory, replicas);
    return new KafkaNode({ driver, topics: place.topics, replicas, store, now: clock, after, random, onNotice });
  } catch (error) {
    for (const replica of replicas) replica.close();
    store.close();
    throw error;
  }
}

function afterTimeout(ms: number, then: () => void, { background = false }: { background?: boolean } = {}): () => void {
  const timeout = setTimeout(then, ms);
  if (background) timeout.unref();
  return () => clearTimeout(timeout);
}

function replicaOf({ directory }: Slot): string {
  return join(directory, REPLICA);
}
