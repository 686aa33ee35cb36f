import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DreamfoldError, isDreamfoldError } from '@dreamfold/events';
import { machineAfter, type Time } from '@dreamfold/log';
import type { PartitionReplica, ReplicaStorage } from '@dreamfold/log/backend';
import { isFarBehind } from './catch-up/lag.ts';
import type { KafkaDriver, Membership, MembershipOptions, OffsetRange } from './driver/driver.ts';
import { driverFor } from './driver/driver-for.ts';
import { passProbation } from './driver/probation.ts';
import { checkIdentity, identifyLog } from './identity/identify-log.ts';
import { lostLog, olderTopic } from './identity/identity-errors.ts';
import { KnownLogs } from './identity/known-logs.ts';
import { makeDirectory, nodeOf, replicaOf, takeSlot, type Slot } from './identity/replica-slot.ts';
import { KafkaLog } from './kafka-log.ts';
import { KafkaNode, tellRefused, type LogNotice } from './kafka-node.ts';
import { parseKafkaUrl, type KafkaPlace } from './kafka-url.ts';
import { openPartition } from './partition/open-partition.ts';
import { SetAsideNotices } from './partition/set-aside-notices.ts';
import { checkReading } from './catch-up/replica-reading.ts';
import { formerName, pruneFormer } from './salvage/former-replicas.ts';
import { lackedBy, surelyLackedBy } from './salvage/lacking.ts';
import { OTHER_LOG, ensureGenesis } from './topics/genesis.ts';
import { SettingsWatch } from './topics/settings-watch.ts';
import { noLogError, rangesOf } from './topics/topics.ts';

const JOIN_AGAIN_MS = 500;

export interface KafkaLogOptions {
  /** `kafka://host:port[,host:port]/prefix`, with options; see docs/how-to/kafka.md. */
  url: string;
  /** Keeps the replica, under the prefix and the log's id. It can be deleted while nothing runs, and is built again. */
  directory: string;
  /** How the replica is kept: `sqliteReplicas` of @dreamfold/log/sqlite. */
  storage: ReplicaStorage;
  /** Where user, password and certificate may stand instead of in the URL. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Only look: nothing is made on the brokers, and nothing is written to them. */
  readOnly?: boolean;
  /** Begin no log where there is none. What is opened read-only never does. */
  mustExist?: boolean;
  /**
   * Take what the brokers have for the log, although this machine has a replica of another one, or of more of it; where they have
   * nothing, begin a log. The former replica is kept.
   */
  acceptNewLog?: boolean;
  /** How much of the topic is in the replica, while it catches up. */
  onProgress?: (done: number, total: number) => void;
  onNotice?: (notice: LogNotice) => void;
  clock?: () => number;
  /** Calls back after some time, for what the node does by itself. Default the machine's timers. */
  after?: Time['after'];
  random?: () => number;
  /** Another driver than that of the URL. It can't be given to threads, so such a log catches up in one. */
  driver?: (place: KafkaPlace) => KafkaDriver;
}

/**
 * Opens a log on Kafka: brings the local replica up to the end of the log, and follows it. Where this machine has a replica of no log under
 * the prefix, topics that are not there are created, and a log is begun. A replica that disagrees with the log is built again, where the
 * topic holds all that it held, and so is one that has set records aside by an older reading.
 * @throws DreamfoldError config_invalid (the URL, a topic's settings), store_unavailable (no broker answers, within 10 seconds),
 * not_found (no log is there, and none is to be begun), permission_denied, log_diverged (the topic lacks its beginning, is gone, is another
 * log's, or holds less than the replica), store_newer_than_code, store_full, store_read_only, invalid_path
 */
export async function openKafkaLog(options: KafkaLogOptions): Promise<KafkaLog> {
  const place = parseKafkaUrl(options.url, options.env ?? {});
  const driver = (options.driver ?? driverFor)(place);
  const { clock = Date.now, onNotice = () => {}, acceptNewLog = false } = options;
  const root = join(options.directory, place.prefix);
  const known = new KnownLogs(root, place);
  const settings = new SettingsWatch({ driver, place, onNotice });
  let slot: Slot | null = null;
  try {
    await driver.connect();
    const logId = await identifyLog({
      ...{ driver, place, known, root, begins: beginsLog(options), acceptNewLog, now: clock() },
      onWrong: (problem) => {
        if (options.readOnly !== true) throw problem;
        settings.tell(problem);
      },
      onRefused: tellRefused(`${place.topics.events}/0`, onNotice),
    });
    const former = acceptNewLog ? known.ids.filter((id) => id !== logId && (known.here ?? id) === id) : [];
    slot = await takeSlot(known.folderOf(logId), options.storage);
    const log = await openReplica({ options, place, driver, root, logId, settings, ...slot });
    settings.start();
    known.remember(logId);
    for (const id of former) onNotice({ kind: 'accepted', message: formerLogLine(known.folderOf(id)) });
    return log;
  } catch (error) {
    await driver.close();
    slot?.lock.release();
    throw error;
  }
}

function formerLogLine(folder: string): string {
  return `The replica of the log that was here before stays in ${folder}: \`dreamfold export --replica\` reads it; delete it when nobody needs it.`;
}

function beginsLog({ readOnly = false, mustExist = false }: KafkaLogOptions): boolean {
  return !readOnly && !mustExist;
}

interface Opening extends Slot {
  options: KafkaLogOptions;
  place: KafkaPlace;
  driver: KafkaDriver;
  /** Holds the folders of the logs. */
  root: string;
  /** What the topic has to hold. */
  logId: string;
  settings: SettingsWatch;
}

async function openReplica(opening: Opening): Promise<KafkaLog> {
  try {
    return await openNode(opening);
  } catch (error) {
    if (!isDreamfoldError(error, 'log_diverged') && !isDreamfoldError(error, 'store_corrupt')) throw error;
    if (error.path !== OTHER_LOG) return rebuild(opening, error);
    // A place that held nothing yet has been filled from the topic of another log.
    rmSync(replicaOf(opening), { recursive: true, force: true });
    throw lostLog({ ...opening, logIds: [opening.logId] }, error.message);
  }
}

/** Keys or blobs are not those that were read: with a former replica, payloads would be lost that nobody has erased. */
function isBeside({ path }: DreamfoldError, { topics }: KafkaPlace): boolean {
  return path === topics.keys || path === topics.blobs;
}

/** Where the topics lead nowhere either, or to less, what was here stays: it may be the only whole copy of the log. */
async function rebuild(opening: Opening, cause: DreamfoldError): Promise<KafkaLog> {
  const { options, driver, place, directory, logId } = opening;
  const { onNotice = () => {}, acceptNewLog = false, clock = Date.now } = options;
  const ranges = await rangesOf(driver, place.topics.events);
  await checkIdentity(opening, logId);
  const replica = replicaOf(opening);
  const held = { storage: options.storage, partitions: ranges.length };
  // What is damaged can't be compared.
  const isWhole = cause.code === 'log_diverged' && !acceptNewLog;
  const missing = isWhole ? surelyLackedBy(ranges, { ...held, directory: replica }) : null;
  if (missing !== null) throw olderTopic(place, { replica, what: missing });
  const former = join(directory, formerName(clock()));
  renameSync(replica, former);
  onNotice({ kind: 'rebuilding', message: `${cause.message}. The local replica is built again.` });
  let log: KafkaLog | null = null;
  try {
    log = await openNode(opening);
    const what = isWhole ? await lackedBy(log, { ...held, directory: former, withPayloads: isBeside(cause, place) }) : null;
    if (what !== null) throw olderTopic(place, { replica, what });
  } catch (error) {
    await log?.close();
    rmSync(replica, { recursive: true, force: true });
    renameSync(former, replica);
    throw error;
  }
  if (cause.code === 'store_corrupt') rmSync(former, { recursive: true, force: true });
  else onNotice({ kind: 'rebuilding', message: `The former replica is kept in ${former}; delete it when nobody needs it.` });
  pruneFormer(join(opening.root, logId), onNotice);
  return log;
}

async function openNode(opening: Opening): Promise<KafkaLog> {
  const { options, place, driver, lock, settings } = opening;
  const { clock = Date.now, onProgress = () => {}, onNotice = () => {} } = options;
  const { topics } = place;
  const ranges = await rangesOf(driver, topics.events);
  const node = await nearTheEnd(opening, ranges);
  const closing = new AbortController();
  try {
    await node.start(onProgress);
    // Somebody is about to begin it, or was stopped while he did.
    if (!beginsLog(options) && node.partitions.some(({ replica }) => replica.count() === 0)) throw noLogError(place);
    const genesis = await ensureGenesis(node.partitions, { logId: opening.logId, now: clock() });
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
      join: async (work, onAssigned, signal) => {
        const ending = signal === undefined ? closing.signal : AbortSignal.any([closing.signal, signal]);
        const group = `${place.prefix}.${work}`;
        const { sessionTimeoutMs } = place;
        // The dreamers' own rule is that another one dreams what is due for long.
        if (work === 'workers') await passProbation({ members: () => driver.members(group), sessionTimeoutMs, pause: pauseUntil(ending) });
        return joinAtLast({ driver, onNotice, ending }, { group, topic: topics.work, sessionTimeoutMs, onAssigned });
      },
      node: () => nodeOf(opening.directory),
      readOnly: options.readOnly ?? false,
      release: async () => {
        settings.stop();
        closing.abort(new DreamfoldError('store_unavailable', 'The log is closed', { path: log.logId, remedy: 'Open it again.' }));
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

function pauseUntil(signal: AbortSignal): (ms: number) => Promise<void> {
  return (ms) => pause(ms, undefined, { signal, ref: false }).catch(() => signal.throwIfAborted());
}

interface Joining {
  driver: KafkaDriver;
  onNotice: (notice: LogNotice) => void;
  /** Ends the wait for a place in the group. */
  ending: AbortSignal;
}

/**
 * Joins a group of a log that is open already: brokers that are away meanwhile come back, as for everything else, and so does a group
 * that does not answer, which is told once.
 * @throws DreamfoldError permission_denied, config_invalid; what `ending` is aborted with
 */
async function joinAtLast({ driver, onNotice, ending }: Joining, options: MembershipOptions): Promise<Membership> {
  const waits = pauseUntil(ending);
  for (let isTold = false; ;) {
    ending.throwIfAborted();
    try {
      return await driver.join(options);
    } catch (error) {
      if (!isDreamfoldError(error, 'store_unavailable')) throw error;
      const doAnswer = await driver.offsets(options.topic).then(
        () => true,
        () => false,
      );
      // Brokers that are away are noticed elsewhere.
      if (doAnswer && !isTold) onNotice({ kind: 'refused', message: `${error.message}. It is tried again.` });
      isTold ||= doAnswer;
      await waits(JOIN_AGAIN_MS);
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
  // Another driver can't be sent to a thread.
  if (source === null || options.driver !== undefined || !isFarBehind({ begins, ends })) return node;
  const next = [...begins];
  const sum = (offsets: readonly number[]): number => offsets.reduce((total, offset) => total + offset, 0);
  const setAside = new SetAsideNotices((message) => onNotice({ kind: 'set_aside', message }));
  // Threads look for their program beside the file that starts them, so that file is loaded by its place.
  const { catchUpInThreads } = await import('./catch-up/catch-up.ts');
  const caughtUp = await catchUpInThreads({
    ...{ place, directory: replicaOf(opening), source, begins, ends },
    begin: () => node.learnKeys(),
    onFolded: (partition, offset) => {
      next[partition] = offset;
      onProgress(sum(next), sum(ends));
    },
    onSetAside: (at) => setAside.add(at),
  });
  setAside.flush();
  return caughtUp ? openParts(opening, ranges.length) : node;
}

function openParts(opening: Opening, partitions: number): KafkaNode {
  const { options, place, driver } = opening;
  const { storage, clock = Date.now, after = machineAfter, random = Math.random, onNotice = () => {} } = options;
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
