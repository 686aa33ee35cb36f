import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { ReplicaStorage } from '@dreamfold/log/backend';
import type { KafkaPlace } from '../kafka-url.ts';
import type { AsidePlace } from '../partition/set-aside-notices.ts';
import { lagsOf } from './lag.ts';

/** What a thread is to fold. */
export interface ThreadTask {
  place: KafkaPlace;
  /** Holds the node's replica. Nobody else has it open. */
  directory: string;
  source: NonNullable<ReplicaStorage['source']>;
  partitions: readonly number[];
  /** Of each partition of the log, where the replica stands and up to where to fold: offsets of the next record. */
  begins: readonly number[];
  ends: readonly number[];
}

export type ThreadMessage = { is: 'folded'; partition: number; next: number } | ({ is: 'set_aside' } & AsidePlace) | { is: 'closed' };

export interface CatchUp extends Omit<ThreadTask, 'partitions'> {
  begin: () => Promise<void>;
  onFolded: (partition: number, next: number) => void;
  onSetAside: (at: AsidePlace) => void;
}

/**
 * Folds what a replica lacks in as many threads as there are processors, each some of the partitions, with the keys that are in
 * the side store. Resolves when none has the replica open any more. One that met anything unusual has ended early: whoever opens the
 * replica next goes on from there, and meets it too.
 * @param options.begin resolves when the threads may open the replica; they get ready meanwhile
 * @returns false when no thread could be started, and `begin` was not called
 * @throws what `begin` throws
 */
export async function catchUpInThreads({ begin, onFolded, onSetAside, ...task }: CatchUp): Promise<boolean> {
  const threads: Worker[] = [];
  const end = (): Promise<unknown> => Promise.all(threads.map((thread) => thread.terminate()));
  try {
    for (const partitions of sharesOf(task, availableParallelism())) threads.push(startThread({ ...task, partitions }));
  } catch {
    // Node was told to allow none.
    await end();
    return false;
  }
  const ended = threads.map(async (thread) => {
    await new Promise<void>((resolve) => {
      thread.on('message', (message: ThreadMessage) => {
        if (message.is === 'closed') resolve();
        else if (message.is === 'folded') onFolded(message.partition, message.next);
        else onSetAside(message);
      });
      thread.once('exit', () => resolve());
    });
  });
  try {
    await begin();
  } catch (error) {
    await end();
    throw error;
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- the rule is for windows
  for (const thread of threads) thread.postMessage('begin');
  await Promise.all(ended);
  return true;
}

function startThread(workerData: ThreadTask): Worker {
  const thread = new Worker(new URL(`./catch-up-thread${extname(import.meta.url)}`, import.meta.url), { workerData });
  // An exit follows.
  thread.on('error', () => {});
  return thread;
}

/** Partitions that lack records, shared out so that each share lacks about as many. */
export function sharesOf(range: Pick<CatchUp, 'begins' | 'ends'>, count: number): number[][] {
  const lags = lagsOf(range);
  const behind = [...lags.keys()].filter((partition) => lags[partition]! > 0).sort((a, b) => lags[b]! - lags[a]!);
  const shares = Array.from({ length: Math.min(count, behind.length) }, () => ({ partitions: [] as number[], records: 0 }));
  for (const partition of behind) {
    const least = shares.reduce((a, b) => (b.records < a.records ? b : a));
    least.partitions.push(partition);
    least.records += lags[partition]!;
  }
  return shares.map(({ partitions }) => partitions);
}
