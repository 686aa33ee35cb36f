// A node of the log in a process of its own: opens it, then does what its standard input says, one JSON text a line. It ends with its
// parent.
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { isDreamfoldError, type NewEvent } from '@dreamfold/events';
import type { ReplicaStorage } from '@dreamfold/log/backend';
import type { KafkaLog } from '../kafka-log.ts';
import { openKafkaLog } from '../open-kafka-log.ts';
import { claimStream, runLoad, type Acknowledged, type Writer } from './load.ts';

export interface Job {
  url: string;
  directory: string;
  /** Module that exports `sqliteReplicas`: this room knows only the port. */
  storage: string;
}

export type Command =
  | { do: 'load'; node: string; next: Record<Writer, number>; pauseMs: number }
  | { do: 'race'; stream: string; name: string; appends: number }
  | { do: 'own'; stream: string; name: string }
  | { do: 'put'; name: string; indices: number[]; sizeBytes: number }
  | { do: 'stop' };

export type Line =
  | { is: 'open' }
  /** The brokers did not answer in time; it tries again. */
  | { is: 'unavailable' }
  | { is: 'acknowledged'; ack: Acknowledged }
  | { is: 'raced'; seqs: number[]; conflicts: number }
  | { is: 'claimed'; epoch: number }
  | { is: 'owned'; seq: number }
  | { is: 'put'; index: number; sha256: string }
  /** What the owner's append was refused with, and then each of a few on the head that was read again. */
  | { is: 'refused'; code: unknown; onNewestHead: unknown[] }
  | { is: 'notice'; kind: string; message: string };

const TRIES_ON_NEWEST_HEAD = 3;

function say(line: Line): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

async function openLog({ url, directory, storage }: Job): Promise<KafkaLog> {
  const { sqliteReplicas } = (await import(storage)) as { sqliteReplicas: ReplicaStorage };
  for (;;) {
    try {
      return await openKafkaLog({ url, directory, storage: sqliteReplicas, onNotice: (notice) => say({ is: 'notice', ...notice }) });
    } catch (error) {
      if (!isDreamfoldError(error, 'store_unavailable')) throw error;
      say({ is: 'unavailable' });
      await pause(200);
    }
  }
}

/** Appends to the newest head until `appends` of them counted. */
async function race(log: KafkaLog, { stream, name, appends }: { stream: string; name: string; appends: number }): Promise<void> {
  const seqs: number[] = [];
  let conflicts = 0;
  while (seqs.length < appends) {
    const { seq } = await log.head(stream);
    const data = { content: [{ type: 'text', text: `${name} ${seqs.length}` }] };
    const event: NewEvent = { type: 'user.message', data, class: 'open', actor: 'user' };
    try {
      seqs.push((await log.append({ stream, id: `${name}.${seqs.length}`, expected: seq, events: [event] })).head.seq);
    } catch (error) {
      if (!isDreamfoldError(error, 'head_conflict')) throw error;
      conflicts += 1;
    }
  }
  say({ is: 'raced', seqs, conflicts });
}

/** Claims a stream, and writes as its owner until it is refused. */
async function own(log: KafkaLog, { stream, name }: { stream: string; name: string }): Promise<void> {
  const epoch = await claimStream(log, stream);
  say({ is: 'claimed', epoch });
  const append = async (id: string, expected: number): Promise<number> => {
    const data = { content: [{ type: 'text', text: id }] };
    const event: NewEvent = { type: 'agent.message', data, class: 'owner', actor: 'sthr_1' };
    return (await log.append({ stream, id, expected, epoch, events: [event] })).head.seq;
  };
  let { seq } = await log.head(stream);
  try {
    for (let k = 1; ; k += 1) {
      seq = await append(`${name}.${k}`, seq);
      say({ is: 'owned', seq });
    }
  } catch (error) {
    const onNewestHead: unknown[] = [];
    for (let k = 1; k <= TRIES_ON_NEWEST_HEAD; k += 1) {
      const newest = await log.head(stream);
      onNewestHead.push(await append(`${name}.late.${k}`, newest.seq).catch(codeOf));
      await pause(20);
    }
    say({ is: 'refused', code: codeOf(error), onNewestHead });
  }
}

/** Puts blobs, all at once. */
async function put(log: KafkaLog, { name, indices, sizeBytes }: Extract<Command, { do: 'put' }>): Promise<void> {
  await Promise.all(
    indices.map(async (index) => {
      const { sha256 } = await log.blobs.put(Buffer.alloc(sizeBytes, `${name} ${index} `));
      say({ is: 'put', index, sha256 });
    }),
  );
}

function codeOf(error: unknown): unknown {
  return isDreamfoldError(error) ? error.code : String(error);
}

function perform(
  log: KafkaLog,
  command: Exclude<Command, { do: 'stop' }>,
  run: { signal: AbortSignal; onAcknowledged: (ack: Acknowledged) => void },
): Promise<unknown> {
  switch (command.do) {
    case 'load':
      return runLoad({ ...command, ...run, log });
    case 'race':
      return race(log, command);
    case 'own':
      return own(log, command);
    case 'put':
      return put(log, command);
  }
}

async function main(job: Job): Promise<void> {
  const log = await openLog(job);
  say({ is: 'open' });
  const stop = new AbortController();
  let work: Promise<unknown> = Promise.resolve();
  for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line) as Command;
    if (command.do === 'stop') {
      stop.abort();
      await work;
      await log.close();
      return process.exit(0);
    }
    const { signal } = stop;
    const onAcknowledged = (ack: Acknowledged): void => say({ is: 'acknowledged', ack });
    work = Promise.all([work, perform(log, command, { signal, onAcknowledged })]);
    work.catch((error: unknown) => {
      console.error(error);
      process.exit(1);
    });
  }
  process.exit(1);
}

if (import.meta.main) await main(JSON.parse(process.argv[2]!) as Job);
