import { seeded } from '@dreamfold/core/testing';
import { SingleBar } from 'cli-progress';
import { open, type Dreamfold } from 'dreamfold';
import { machine } from '../machine.ts';
import type { Bench, BenchOptions, Report } from '../rounds.ts';
import { inScratchDirectory } from '../scratch-directory.ts';
import { rounded } from '../statistics.ts';
import { target } from '../target.ts';
import { targetTable, textTable } from '../text-table.ts';
import { scoreHeldOut } from './held-out.ts';
import { UsageError } from '../usage-error.ts';
import { BANKING77, readRequests, type LabelledRequest } from './request-file.ts';
import { routeRequest } from './route-request.ts';
import { specialist } from './specialist.ts';

const STREAMED = 8003;
const HELD_OUT = 2000;
const SESSIONS_PER_DREAM = 500;
const CUSTOMERS = 500;
const STORE = 'routing';

/** What the team knows after so many dreams. Cycle 0 is the start. */
interface Cycle {
  dream: number;
  sessions: number;
  /** Of the held-out requests, the part that went into the right queue, from 0 to 1. */
  accuracy: number;
  withoutMemory: number;
  /** In the store, as are the cues. */
  insights: number;
  cues: number;
  /** Bytes of memory in a prompt. */
  promptBytesP50: number;
  promptBytesMax: number;
}

interface Requests {
  streamed: readonly LabelledRequest[];
  heldOut: readonly LabelledRequest[];
  /** Every queue that there is, in the order of the alphabet. */
  queues: readonly string[];
}

/** How well a team routes real requests, with what dreams have made of the feedback on earlier ones. */
export const measureRouting: Bench = (options) =>
  inScratchDirectory(async (directory) => {
    const before = machine();
    const requests = requestsFor(options);
    const bar = new SingleBar({
      stream: process.stderr,
      format: 'sessions [{bar}] {percentage}% | {value}/{total} | held-out accuracy {accuracy} | {eta_formatted} left',
      noTTYOutput: true,
      notTTYSchedule: 5000,
    });
    bar.start(requests.streamed.length, 0, { accuracy: '-' });
    const dreamfold = await open({ directory });
    try {
      const cycles = await learn(dreamfold, requests, {
        seed: options.seed,
        onSession: () => bar.increment(),
        onCycle: ({ accuracy }) => bar.update({ accuracy: accuracy.toFixed(3) }),
      });
      return reportOf(cycles, { seed: options.seed, machine: before });
    } finally {
      bar.stop();
      await dreamfold.close();
    }
  });

/** @throws UsageError */
function requestsFor({ requests: path = BANKING77, test }: BenchOptions): Requests {
  const all = readRequests(path);
  const streamed = all.slice(0, STREAMED);
  const heldOut = test === undefined ? all.slice(STREAMED).slice(-HELD_OUT) : readRequests(test);
  if (heldOut.length === 0) {
    throw new UsageError(
      test === undefined
        ? `${path} has ${all.length} rows. The first ${STREAMED} are learnt from: give more, or held-out ones with --test.`
        : `${test} has no rows. Give at least one held-out request.`,
    );
  }
  const queues = [...new Set([...all, ...heldOut].map(({ queue }) => queue))].sort();
  if (streamed.length > 0 && queues.length > 1) return { streamed, heldOut, queues };
  throw new UsageError(`${path} has ${streamed.length} rows and ${queues.length} queues. Give requests of two queues or more.`);
}

interface Course {
  seed: number;
  onSession: () => void;
  onCycle: (cycle: Cycle) => void;
}

/** Streams the requests, a session each, with a dream now and then. */
async function learn(dreamfold: Dreamfold, { streamed, heldOut, queues }: Requests, course: Course): Promise<Cycle[]> {
  const agent = specialist(queues);
  await dreamfold.memory.create({ name: STORE, description: 'What feedback on routed requests has shown.', approval: 'auto' }, 'bench');
  const random = seeded(course.seed);
  const cycles: Cycle[] = [];
  const score = async (sessions: number): Promise<void> => {
    const pinned = await dreamfold.memory.pinned(await dreamfold.memory.pin([STORE]));
    const { accuracy, memoryBytes } = scoreHeldOut(heldOut, agent, pinned);
    const insights = pinned.flatMap(({ document }) =>
      Object.values(document.memories).flatMap((memory) => (memory.kind === 'playbook' ? Object.values(memory.insights) : [])),
    );
    const cycle: Cycle = {
      dream: cycles.length,
      sessions,
      accuracy: rounded(accuracy, 4),
      withoutMemory: rounded(scoreHeldOut(heldOut, agent, []).accuracy, 4),
      insights: insights.length,
      cues: insights.reduce((sum, insight) => sum + (insight.kind === 'choice' ? insight.cues.length : 0), 0),
      promptBytesP50: Math.round(memoryBytes.p50),
      promptBytesMax: memoryBytes.max,
    };
    cycles.push(cycle);
    course.onCycle(cycle);
  };
  await score(0);
  for (const [i, request] of streamed.entries()) {
    const principal = `customer-${Math.floor(random() * CUSTOMERS) + 1}`;
    await routeRequest(dreamfold, agent, { request, principal, memory: [STORE] });
    course.onSession();
    if ((i + 1) % SESSIONS_PER_DREAM > 0) continue;
    const { insights } = await dreamfold.dream({ store: STORE });
    // What goes against earlier insights waits for a person, who here agrees to everything.
    for (const { patchId, status } of insights)
      if (status === 'validated') await dreamfold.memory.approve(STORE, patchId!, { by: 'person:bench' });
    await score(i + 1);
  }
  return cycles;
}

function reportOf(cycles: readonly Cycle[], run: { seed: number; machine: unknown }): Report {
  const first = cycles[0]!;
  const last = cycles.at(-1)!;
  const most = (figure: (cycle: Cycle) => number): number => Math.max(...cycles.map(figure));
  const targets = [
    target('accuracy at the end', last.accuracy, { atLeast: 0.75, unit: '' }),
    target(
      'change of the accuracy without memory',
      rounded(
        most((c) => Math.abs(c.withoutMemory - first.withoutMemory)),
        4,
      ),
      {
        atMost: 0,
        unit: '',
      },
    ),
    target(
      'cues in the store',
      most(({ cues }) => cues),
      { atMost: 4000, unit: '' },
    ),
    target(
      'memory in a prompt',
      most(({ promptBytesMax }) => promptBytesMax),
      { atMost: 8192, unit: 'bytes' },
    ),
  ];
  return {
    document: { bench: 'routing', ...run, cycles, targets },
    text: [
      textTable(
        ['dream', 'sessions', 'accuracy', 'without memory', 'insights', 'cues', 'prompt bytes p50', 'max'],
        cycles.map((c) => [
          c.dream,
          c.sessions,
          c.accuracy.toFixed(4),
          c.withoutMemory.toFixed(4),
          c.insights,
          c.cues,
          c.promptBytesP50,
          c.promptBytesMax,
        ]),
      ),
      targetTable(targets),
    ].join('\n\n'),
  };
}
