import { seeded } from '@dreamfold/core/testing';
import type { BenchOptions } from '../rounds.ts';
import { UsageError } from '../usage-error.ts';
import { BANKING77, readRequests, type LabelledRequest } from './request-file.ts';

const HELD_OUT = 2000;

/** What is learnt from, and what is held out. */
export interface Requests {
  streamed: readonly LabelledRequest[];
  heldOut: readonly LabelledRequest[];
  /** Every queue that there is, in the order of the alphabet. */
  queues: readonly string[];
}

/**
 * The requests of a run. With the seed 1 they are in the order of the file; with others they are shuffled, and without a file of
 * held-out ones others are held out.
 * @throws UsageError
 */
export function requestsFor({ requests: path = BANKING77, test, sessions, seed }: BenchOptions): Requests {
  const all = readRequests(path);
  const ordered = seed === 1 ? all : shuffled(all, seeded(seed));
  const heldOut = test === undefined ? ordered.slice(Math.max(0, ordered.length - HELD_OUT)) : readRequests(test);
  const learnt = test === undefined ? ordered.slice(0, -HELD_OUT) : ordered;
  if (heldOut.length === 0) throw new UsageError(`${test} has no rows. Give at least one held-out request.`);
  if (learnt.length === 0)
    throw new UsageError(`${path} has ${all.length} rows. The last ${HELD_OUT} are held out: give more, or held-out ones with --test.`);
  if (sessions !== null && sessions > learnt.length)
    throw new UsageError(`${path} has ${learnt.length} requests to learn from. Ask for at most so many --sessions.`);
  const streamed = learnt.slice(0, sessions ?? learnt.length);
  const queues = [...new Set([...all, ...heldOut].map(({ queue }) => queue))].sort();
  if (queues.length > 1) return { streamed, heldOut, queues };
  throw new UsageError(`${path} has ${queues.length} queues. Give requests of two queues or more.`);
}

/** The same items in an order that is drawn. */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
