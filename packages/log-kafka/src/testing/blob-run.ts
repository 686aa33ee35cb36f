import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { seeded } from '@dreamfold/core/testing';
import type { ReplicaStorage } from '@dreamfold/log/backend';
import type { KafkaLog } from '../kafka-log.ts';
import { openKafkaLog } from '../open-kafka-log.ts';
import { NodeProcess } from './node-process.ts';

export interface BlobRunOptions {
  brokers: string;
  /** Holds the nodes' directories. */
  root: string;
  storage: ReplicaStorage;
  /** Module of the storage, for the nodes in other processes. */
  storageModule: string;
  /** Of each of the two nodes that write. */
  blobs: number;
  sizeBytes: number;
  kills: number;
  seed: number;
}

export interface BlobRunReport {
  acknowledged: number;
  /** Acknowledged, and not there: on the node that only looks on, and on one that begins after all. */
  missingThere: number;
  missingOnFresh: number;
  /** Puts that were killed between their requests, and what is left of them. */
  incomplete: { puts: number; sizeBytes: number };
}

const WRITERS = ['a', 'b'];

/** Two nodes put large blobs, all at once, and are killed between the requests of a put; whatever was not acknowledged is put again. */
export async function runBlobs(options: BlobRunOptions): Promise<BlobRunReport> {
  const { brokers, root, storage, storageModule, blobs, sizeBytes, kills, seed } = options;
  const url = `kafka://${brokers}/blobs-${randomBytes(4).toString('hex')}?partitions=1`;
  const random = seeded(seed);
  const put = new Map<string, string>();
  const logs: KafkaLog[] = [];
  const open = async (node: string): Promise<KafkaLog> => {
    const log = await openKafkaLog({ url, directory: join(root, node), storage });
    logs.push(log);
    return log;
  };
  const writers = new Map<string, NodeProcess>();
  const start = (name: string): void => {
    const indices = Array.from({ length: blobs }, (_, i) => i).filter((index) => !put.has(`${name} ${index}`));
    const writer = new NodeProcess({ url, directory: join(root, name), storage: storageModule });
    writer.send({ do: 'put', name, indices, sizeBytes });
    writers.set(name, writer);
  };
  const hear = (): void => {
    for (const [name, writer] of writers) {
      if (writer.failure !== null) throw writer.failure;
      for (const { index, sha256 } of writer.taken('put')) put.set(`${name} ${index}`, sha256);
    }
  };
  const until = async (count: number): Promise<void> => {
    for (; put.size < count; hear()) await pause(20);
  };
  try {
    const other = await open('other');
    WRITERS.forEach(start);
    for (let kill = 1; kill <= kills; kill += 1) {
      await until(Math.floor((WRITERS.length * blobs * kill) / (kills + 1)));
      await pause(random() * 50);
      const name = WRITERS[Math.floor(random() * WRITERS.length)]!;
      await writers.get(name)!.kill();
      hear();
      start(name);
    }
    await until(WRITERS.length * blobs);
    await Promise.all([...writers.values()].map((writer) => writer.stop()));
    const fresh = await open('fresh');
    const missing = async (log: KafkaLog): Promise<number> => {
      let count = 0;
      for (const sha256 of put.values()) if ((await log.blobs.get(sha256)) === null) count += 1;
      return count;
    };
    const [missingThere, missingOnFresh] = [await missing(other), await missing(fresh)];
    await fresh.close();
    const side = storage.openSide({ directory: fresh.directory });
    const incomplete = side.incompletePuts();
    side.close();
    return { acknowledged: put.size, missingThere, missingOnFresh, incomplete };
  } finally {
    await Promise.all([...writers.values()].map((writer) => writer.kill()));
    await Promise.all(logs.map((log) => log.close()));
  }
}
