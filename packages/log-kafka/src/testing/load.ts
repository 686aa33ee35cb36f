import { setTimeout as pause } from 'node:timers/promises';
import { isDreamfoldError, type NewEvent } from '@dreamfold/events';
import type { AppendRequest } from '@dreamfold/log';
import type { KafkaLog } from '../kafka-log.ts';

/**
 * What each node of a load writes, one append after the other: as the owner of a stream, twice to a stream that all nodes share, to a
 * stream for whose every head all nodes race, and to many streams.
 */
export const WRITERS = ['own', 'shared-1', 'shared-2', 'raced', 'many'] as const;
export type Writer = (typeof WRITERS)[number];

const STREAMS_OF_MANY = 20;

/** The k-th append of a writer was acknowledged. */
export interface Acknowledged {
  node: string;
  writer: Writer;
  k: number;
  seq: number;
  hash: string;
  duplicate: boolean;
}

export interface LoadOptions {
  log: KafkaLog;
  /** Names the node: no two write under one name at the same time. */
  node: string;
  /** The first append of each writer: the one after the last that was acknowledged. Whether it was sent before nobody knows. */
  next: Readonly<Record<Writer, number>>;
  /** Between two appends of a writer, at most. */
  pauseMs: number;
  signal: AbortSignal;
  onAcknowledged: (ack: Acknowledged) => void;
}

/** An append's id, stream and number of events follow from who writes it: sent again, it is the same. */
export function planned(node: string, writer: Writer, k: number): { id: string; stream: string; n: number } {
  const streams = {
    own: `own_${node}`,
    'shared-1': 'shared',
    'shared-2': 'shared',
    raced: 'raced',
    many: `${node}_${k % STREAMS_OF_MANY}`,
  };
  return { id: `${node}.${writer}.${k}`, stream: `session/${streams[writer]}`, n: 1 + (k % 3) };
}

/** Appends until the signal; what is under way then is waited for. */
export async function runLoad(options: LoadOptions): Promise<void> {
  await Promise.all(WRITERS.map((writer) => write(options, writer)));
}

async function write(options: LoadOptions, writer: Writer): Promise<void> {
  const { log, node, pauseMs, signal, onAcknowledged } = options;
  const epoch = writer === 'own' ? await claimStream(log, planned(node, writer, 1).stream) : null;
  for (let k = options.next[writer]; !signal.aborted; k += 1) {
    const { head, duplicate } = await appendOn(log, requestOf({ node, writer, k, epoch }), writer === 'own' || writer === 'raced');
    onAcknowledged({ node, writer, k, seq: head.seq, hash: head.hash, duplicate });
    await pause(Math.random() * pauseMs);
  }
}

function requestOf({ node, writer, k, epoch }: { node: string; writer: Writer; k: number; epoch: number | null }): AppendRequest {
  const { id, stream, n } = planned(node, writer, k);
  const events = Array.from({ length: n }, (_, i): NewEvent =>
    epoch === null
      ? { type: 'user.message', data: { content: [{ type: 'text', text: `${id}/${i}` }] }, class: 'open', actor: 'user' }
      : { type: 'agent.message', data: { content: [{ type: 'text', text: `${id}/${i}` }] }, class: 'owner', actor: 'sthr_1' },
  );
  return { stream, id, expected: 'any', events, ...(epoch === null ? {} : { epoch }) };
}

/** @param onHead as a decision on the newest head, made again when another was faster */
async function appendOn(log: KafkaLog, request: AppendRequest, onHead: boolean): ReturnType<KafkaLog['append']> {
  for (;;) {
    try {
      return await log.append(onHead ? { ...request, expected: (await log.head(request.stream)).seq } : request);
    } catch (error) {
      if (!onHead || !isDreamfoldError(error, 'head_conflict')) throw error;
    }
  }
}

/** Takes a stream over from whoever owned it. @returns the epoch */
export async function claimStream(log: KafkaLog, stream: string): Promise<number> {
  for (;;) {
    const { seq, epoch } = await log.head(stream);
    const nonce = crypto.randomUUID();
    const claim: NewEvent = { type: 'session.claimed', data: { nonce }, class: 'claim', actor: 'system' };
    try {
      await log.append({ stream, id: `claim.${nonce}`, expected: seq, epoch: epoch + 1, events: [claim] });
      return epoch + 1;
    } catch (error) {
      // What an earlier process had sent came in between.
      if (!isDreamfoldError(error, 'head_conflict') && !isDreamfoldError(error, 'fenced')) throw error;
    }
  }
}
