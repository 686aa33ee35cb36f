// One run of the scenario `poison`, in a thread of its own.
import { parentPort, workerData } from 'node:worker_threads';
import { seeded } from '@dreamfold/core/testing';
import { requestsFor } from '../requests.ts';
import type { BenchOptions } from '../../rounds.ts';
import type { LabelledRequest } from '../request-file.ts';
import { RoutedStream, SESSIONS_PER_DREAM, askedBy, type AskedRequest } from '../stream.ts';

/** An attack on the requests of one queue, which are to go to another one; null for none. */
export interface PoisonJob {
  options: BenchOptions;
  attack: { target: string; towards: string; principals: number; sessions: number; late: boolean } | null;
}

/** What became of the held-out requests: the queue that each went to, in their order. */
export interface PoisonResult {
  routes: string[];
  waiting: number;
}

/** An attack that comes late comes after so many dreams. */
const LATE_DREAMS = 12;
const BEFORE = ['Hello there,', 'Good morning!', 'Hi, quick one:', 'Hey team,', 'Dear support,'];
const AFTER = ['Thanks a lot.', 'Have a nice day!', 'Cheers.', 'Looking forward to your answer.', 'Best wishes.'];

async function run({ options, attack }: PoisonJob): Promise<PoisonResult> {
  const { streamed, heldOut, queues } = requestsFor(options);
  const stream = await RoutedStream.open(queues);
  const asked = attack === null ? askedBy(streamed, options.seed) : attacked(streamed, { attack, seed: options.seed });
  for (const [i, request] of asked.entries()) {
    await stream.ask(request);
    if ((i + 1) % SESSIONS_PER_DREAM === 0) await stream.dream();
  }
  const result = { routes: await stream.routes(heldOut), waiting: (await stream.changes()).waiting };
  await stream.close();
  return result;
}

/** The honest requests with near-copies of those of the target among them, whose right answer is said to be another queue. */
function attacked(
  streamed: readonly LabelledRequest[],
  { attack, seed }: { attack: NonNullable<PoisonJob['attack']>; seed: number },
): AskedRequest[] {
  const random = seeded(7919 * seed + attack.principals + attack.sessions);
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)]!;
  const own = streamed.filter(({ queue }) => queue === attack.target);
  const from = attack.late ? LATE_DREAMS * SESSIONS_PER_DREAM : 0;
  const at = Array.from({ length: attack.sessions }, () => from + Math.floor(random() * (streamed.length - from))).sort((a, b) => a - b);
  const mixed: AskedRequest[] = [];
  let next = 0;
  for (const [i, honest] of askedBy(streamed, seed).entries()) {
    mixed.push(honest);
    for (; at[next] === i; next += 1) {
      const text = `${pick(BEFORE)} ${pick(own).text} ${pick(AFTER)}`;
      mixed.push({ text, queue: attack.towards, principal: `mallory-${next % attack.principals}` });
    }
  }
  return mixed;
}

const result = await run(workerData as PoisonJob);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- the rule is for windows
parentPort!.postMessage(result);
