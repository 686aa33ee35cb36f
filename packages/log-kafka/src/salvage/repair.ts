import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DreamfoldError, type StoredEvent } from '@dreamfold/events';
import { cursorAtStart, placeOf, type VerifyProblem } from '@dreamfold/log';
import type { PartitionReplica } from '@dreamfold/log/backend';
import type { KafkaDriver } from '../driver/driver.ts';
import { driverFor } from '../driver/driver-for.ts';
import { findGenesis } from '../identity/find-genesis.ts';
import { urlOf } from '../identity/identity-errors.ts';
import { KnownLogs } from '../identity/known-logs.ts';
import type { KafkaLog } from '../kafka-log.ts';
import { parseKafkaUrl, type KafkaPlace } from '../kafka-url.ts';
import { openKafkaLog, type KafkaLogOptions } from '../open-kafka-log.ts';
import { encodeRecord } from '../partition/record-codec.ts';
import { genesisIn } from '../topics/genesis.ts';
import { ensureTopics, rangesOf } from '../topics/topics.ts';
import { sha256sIn } from './lacking.ts';
import { openReplica, openReplicaLog, type OpenReplica } from './open-replica.ts';

/** Where a repair keeps its own replica, beside those of this machine. */
export const REPAIR_FOLDER = 'repair';

export interface RepairOptions extends Pick<KafkaLogOptions, 'url' | 'directory' | 'storage' | 'env' | 'onProgress' | 'onNotice'> {
  /** What is put on the brokers: a replica, a place that holds one, or the folder of a log. */
  replica: string;
}

export interface RepairReport {
  logId: string;
  /** Of the replica that was read. */
  replica: string;
  events: number;
  /** Those that were not on the brokers yet. */
  added: number;
  blobs: number;
}

/**
 * Fills new topics from a replica: the same log, every event byte for byte at its place in its partition, payloads sealed with new keys.
 * Topics that are not there are created. Those that hold the beginning of what the replica holds, as after a repair that was stopped or
 * when the brokers were restored from an older copy, are filled up. Nobody may write to the log meanwhile.
 * @throws DreamfoldError not_found, store_corrupt (the replica is not whole), log_diverged (the topics hold something else), config_invalid,
 * store_unavailable, permission_denied
 */
export async function repairKafkaLog(options: RepairOptions): Promise<RepairReport> {
  const place = parseKafkaUrl(options.url, options.env ?? {});
  const source = openReplica({ directory: options.replica, storage: options.storage });
  const directory = join(options.directory, place.prefix, REPAIR_FOLDER);
  // It holds payloads in the clear, so nothing of a repair that was killed stays once it has been run again.
  rmSync(directory, { recursive: true, force: true });
  try {
    await checkWhole(source, options);
    await begin(place, source);
    const log = await openKafkaLog({ ...options, directory, mustExist: true });
    try {
      const filled = await fill({ log, source, place }, options.onProgress ?? (() => {}));
      remember(options.directory, place, log.logId);
      return { logId: log.logId, replica: source.directory, ...filled };
    } finally {
      await log.close();
    }
  } finally {
    source.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** From now on it is this log that stands at the address, for this machine too. */
function remember(directory: string, place: KafkaPlace, logId: string): void {
  const root = join(directory, place.prefix);
  const known = new KnownLogs(root, place);
  if (existsSync(known.folderOf(logId))) known.remember(logId);
}

async function checkWhole({ partitions, directory }: OpenReplica, { storage }: RepairOptions): Promise<void> {
  for (const [partition, replica] of partitions.entries()) genesisIn(replica, partition);
  const log = await openReplicaLog({ directory, storage });
  try {
    const [problem] = (await log.archive.verify()).problems;
    if (problem !== undefined) throw notWhole(directory, problem);
  } finally {
    await log.close();
  }
}

function notWhole(directory: string, problem: VerifyProblem): DreamfoldError {
  return new DreamfoldError('store_corrupt', `The replica in ${directory} is not whole: ${problem.problem}`, {
    path: directory,
    value: problem,
    remedy: 'Take the replica of another machine or process, or import the newest export into another log.',
  });
}

/** Creates the topics, and begins each partition that is empty with the genesis that it had. */
async function begin(place: KafkaPlace, source: OpenReplica): Promise<void> {
  const { log_id: logId, partitions } = source.genesis;
  const driver = driverFor(place);
  try {
    await driver.connect();
    await ensureTopics(driver, { ...place, partitions });
    const ranges = await rangesOf(driver, place.topics.events);
    const found = await findGenesis(driver, place.topics.events);
    if (found !== null && found.log_id !== logId) throw otherTopics(place, `the log ${found.log_id}`);
    for (const [partition, { high }] of ranges.entries()) {
      if (high === 0)
        await produceGenesis(driver, { topic: place.topics.events, partition, replica: source.partitions[partition]!, logId });
    }
  } finally {
    await driver.close();
  }
}

async function produceGenesis(
  driver: KafkaDriver,
  { topic, partition, replica, logId }: { topic: string; partition: number; replica: PartitionReplica; logId: string },
): Promise<void> {
  const [genesis] = replica.readAfter(0);
  const records = replica.readStored(genesis!.stream, 1, 1).map((event) => encodeRecord(event, { logId }));
  await driver.produce(topic, partition, records);
}

interface Filling {
  log: KafkaLog;
  source: OpenReplica;
  place: KafkaPlace;
}

async function fill(
  filling: Filling,
  onProgress: (done: number, total: number) => void,
): Promise<Pick<RepairReport, 'events' | 'added' | 'blobs'>> {
  const { log, source } = filling;
  await checkSame(filling, await log.cursor());
  const counts = source.partitions.map((replica) => replica.count());
  const events = counts.reduce((sum, count) => sum + count, 0);
  const blobs = new Set<string>();
  let [done, added] = [0, 0];
  await Promise.all(
    source.partitions.map(async (replica) => {
      for (const batch of inOrder(replica)) {
        for (const sha256 of batch.flatMap(({ data }) => sha256sIn(data))) if (!blobs.has(sha256)) await putBlob(filling, sha256, blobs);
        const restored = await log.archive.restore(batch);
        added += restored.added;
        onProgress((done += batch.length), events);
      }
    }),
  );
  await checkSame(filling, counts);
  return { events, added, blobs: blobs.size };
}

/** The whole events of a partition, in the order in which they count there. A batch ends where an append does. */
function* inOrder(replica: PartitionReplica): Generator<readonly StoredEvent[], void, undefined> {
  for (let ordinal = 0; ;) {
    const batch: StoredEvent[] = [];
    for (const { stream, seq } of replica.readAfter(ordinal)) {
      const last = batch.at(-1);
      if (last?.stream === stream && last.seq >= seq) continue;
      const [first] = replica.readStored(stream, seq, seq);
      // The rest of its append follows it.
      batch.push(...(first!.append.n === 1 ? [first!] : replica.readStored(stream, seq, seq + first!.append.n - 1)));
    }
    if (batch.length === 0) return;
    yield batch;
    ordinal += batch.length;
  }
}

async function putBlob({ log, source }: Filling, sha256: string, blobs: Set<string>): Promise<void> {
  const bytes = source.side.getBlob(sha256);
  if (bytes === null) return;
  blobs.add(sha256);
  await log.blobs.put(bytes);
}

/**
 * Makes sure that the log holds so many events of each partition, and each at the place at which the replica has it.
 * @throws DreamfoldError log_diverged
 */
async function checkSame({ log, source, place }: Filling, counts: readonly number[]): Promise<void> {
  const through = await log.cursor();
  if (through.some((count, partition) => count !== counts[partition])) throw otherTopics(place, 'events that somebody else has written');
  const replicas = source.partitions.map((replica) => ({ replica, hashes: [] as string[] }));
  for await (const batch of log.readRange(cursorAtStart(counts.length), through)) {
    for (const { position, hash, stream, seq } of batch) {
      const { partition, ordinal } = placeOf(position, counts.length);
      const here = replicas[partition]!;
      if (here.hashes.length === 0) here.hashes = here.replica.readAfter(ordinal - 1).map((event) => event.hash);
      if (here.hashes.shift() !== hash) throw otherTopics(place, `${stream}#${seq} at a place where it has another event`);
    }
  }
}

function otherTopics(place: KafkaPlace, what: string): DreamfoldError {
  return new DreamfoldError('log_diverged', `The topics at ${urlOf(place)} hold what the replica does not: ${what}`, {
    path: place.topics.events,
    value: what,
    remedy: 'Stop all that writes to the log, delete its four topics, and repair it again: they are made anew.',
  });
}
