// The program of a thread that folds some partitions up to an offset, and ends. See catch-up.ts.
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import type { PartitionRecord, PartitionReplica, ReplicaStorage } from '@dreamfold/log/backend';
import type { ThreadMessage, ThreadTask } from './catch-up.ts';
import type { FetchedRecord } from '../driver/driver.ts';
import { driverFor } from '../driver/driver-for.ts';
import { openPartition } from '../partition/open-partition.ts';
import { PartitionFollower } from '../partition/partition-follower.ts';
import { decodeRecord } from '../partition/record-codec.ts';
import { StoredKeys } from '../erasure/stored-keys.ts';

const REPORT_MS = 200;

const task = workerData as ThreadTask;
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- the rule is for windows
const say = (message: ThreadMessage): void => parentPort!.postMessage(message);

const module = (await import(task.source.module)) as Record<string, ReplicaStorage>;
const storage = module[task.source.name]!;
const driver = driverFor(task.place);
await driver.connect();
const { promise: failed, reject: fail } = Promise.withResolvers<never>();
failed.catch(() => {});
const ready = Promise.withResolvers<void>();
const followers = new Map<number, PartitionFollower>();
// Connected while the keys are learnt, and handed nothing before.
const following = driver.tail({
  topic: task.place.topics.events,
  from: new Map(task.partitions.map((partition) => [partition, Math.max(0, task.begins[partition]! - 1)])),
  onBatch: async (partition, records) => {
    await ready.promise;
    // What was written since needs keys that are not here.
    const wanted = records.filter(({ offset }) => offset < task.ends[partition]!);
    if (wanted.length > 0) await followers.get(partition)!.onBatch(wanted);
  },
  // That the brokers are away is for the node to say.
  onConnection: (connected, error) => {
    if (!connected) fail(error);
  },
  onFailed: fail,
});
following.catch(fail);
await once(parentPort!, 'message');

const side = storage.openSide({ directory: task.directory });
const keys = new StoredKeys(side);
const replicas = task.partitions.map((partition) =>
  openPartition(storage, { directory: task.directory, partition, partitions: task.ends.length }),
);
for (const replica of replicas) followers.set(replica.partition, followerOf(replica));
ready.resolve();
const report = setInterval(reportAll, REPORT_MS);
try {
  await Promise.race([failed, Promise.all([...followers].map(([partition, follower]) => follower.reached(task.ends[partition]!)))]);
} finally {
  clearInterval(report);
  reportAll();
  // Nothing is handed over from here on; that the brokers hear of it takes longer.
  const stopped = following.then((tail) => tail.stop());
  for (const replica of replicas) replica.close();
  side.close();
  say({ is: 'closed' });
  await stopped.catch(() => {});
  await driver.close();
}

function reportAll(): void {
  for (const [partition, { next }] of followers) say({ is: 'folded', partition, next });
}

function followerOf(replica: PartitionReplica): PartitionFollower {
  return new PartitionFollower({
    topic: task.place.topics.events,
    replica,
    decode: async (records) => await Promise.resolve(records.map(decode)),
    onFolded: () => {},
    onSetAside: (at) => say({ is: 'set_aside', partition: replica.partition, ...at }),
    // An offset that does not follow is for the node to look at.
    seek: (partition) => {
      throw new Error(`offsets of partition ${partition} do not follow each other`);
    },
  });
}

/** @throws Error when the key of a record is not here: reading on would take the payload for an erased one */
function decode(fetched: FetchedRecord): PartitionRecord {
  const record = decodeRecord(fetched, { keyOf: (id, seq) => keys.keyOf(id, seq) });
  if (record.keyId !== null && keys.find(record.keyId) === null) throw new Error(`no key ${record.keyId}`);
  return record;
}
