import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { seeded } from '@dreamfold/core/testing';
import { open } from 'dreamfold';
import { machine } from '../machine.ts';
import { interleave, type Bench, type BenchOptions, type Candidate, type Progress, type Report } from '../rounds.ts';
import { BANKING77, readRequests, type LabelledRequest } from '../routing/request-file.ts';
import { routeRequest } from '../routing/route-request.ts';
import { specialist } from '../routing/specialist.ts';
import { inScratchDirectory } from '../scratch-directory.ts';
import { spread, type Spread } from '../statistics.ts';
import { target } from '../target.ts';
import { targetTable, textTable } from '../text-table.ts';
import { UsageError } from '../usage-error.ts';

const STORE = 'routing';
const CUSTOMERS = 500;
const SESSIONS = 1000;
/** A dream after every session is to cost at most so many times one dream over all of them. */
const LIMIT = 3;

const APPROVALS = ['manual', 'auto'] as const;
type Approval = (typeof APPROVALS)[number];
const PACES = ['often', 'once'] as const;
type Pace = (typeof PACES)[number];
type Column = `${Approval} ${Pace}`;

interface Course {
  requests: readonly LabelledRequest[];
  queues: readonly string[];
  seed: number;
}

/** Wall time of a dream after each session, beside one dream over the same requests, on logs on disk. */
export const measureDreams: Bench = (options, progress) =>
  inScratchDirectory(async (directory) => {
    const before = machine();
    const course = courseOf(options);
    const figures = await measure(course, { ...options, directory }, progress);
    return reportOf(figures, { sessions: course.requests.length, rounds: options.rounds, seed: options.seed, machine: before });
  });

/** @throws UsageError */
function courseOf({ requests: path = BANKING77, sessions: asked, seed }: BenchOptions): Course {
  const sessions = asked ?? SESSIONS;
  const all = readRequests(path);
  const queues = [...new Set(all.map(({ queue }) => queue))].sort();
  if (all.length >= sessions && queues.length > 1) return { requests: all.slice(0, sessions), queues, seed };
  throw new UsageError(
    `${path} has ${all.length} rows of ${queues.length} queues. Give ${sessions} rows of two queues, or fewer --sessions.`,
  );
}

/** ms of each column in each round. The first time is not counted: it also compiles. */
async function measure(
  course: Course,
  { rounds, directory }: { rounds: number; directory: string },
  progress: Progress,
): Promise<Record<Column, number[]>> {
  const columns = APPROVALS.flatMap((approval) =>
    PACES.map((pace): Candidate<Column> => {
      const measure = (round: number): Promise<number> => {
        const own = join(directory, `${approval}-${pace}-${round}`);
        mkdirSync(own);
        return dreamTime(course, { approval, pace, directory: own });
      };
      return { name: `${approval} ${pace}`, measure };
    }),
  );
  progress('warming up');
  for (const column of columns) await column.measure(0);
  return interleave(columns, rounds, (round) => progress(`round ${round} of ${rounds}`));
}

/** Runs all sessions on a log of their own. @returns ms that went into dreams */
async function dreamTime(
  { requests, queues, seed }: Course,
  { approval, pace, directory }: { approval: Approval; pace: Pace; directory: string },
): Promise<number> {
  const agent = specialist(queues);
  const random = seeded(seed);
  const dreamfold = await open({ directory });
  let ms = 0;
  let labelled = 0;
  const dream = async (): Promise<void> => {
    const start = performance.now();
    const { reviewed } = await dreamfold.dream({ store: STORE });
    ms += performance.now() - start;
    labelled += reviewed.labelled;
  };
  try {
    await dreamfold.memory.create({ name: STORE, description: 'What feedback on routed requests has shown.', approval }, 'bench');
    for (const request of requests) {
      const principal = `customer-${Math.floor(random() * CUSTOMERS) + 1}`;
      await routeRequest(dreamfold, agent, { request: { ...request, principal }, memory: [STORE] });
      if (pace === 'often') await dream();
    }
    globalThis.gc?.();
    if (pace === 'once') await dream();
  } finally {
    await dreamfold.close();
  }
  // A dream that left a session out would look fast.
  if (labelled !== requests.length) throw new RangeError(`${pace}: ${labelled} of ${requests.length} sessions were learnt from`);
  return ms;
}

function reportOf(figures: Record<Column, number[]>, run: Record<string, unknown>): Report {
  const ratios = Object.fromEntries(
    APPROVALS.map((approval) => [approval, spread(figures[`${approval} often`].map((ms, i) => ms / figures[`${approval} once`][i]!))]),
  ) as Record<Approval, Spread>;
  const columns = Object.fromEntries(Object.entries(figures).map(([name, ms]) => [name, spread(ms)])) as Record<Column, Spread>;
  const targets = APPROVALS.map((approval) =>
    target(`${approval}: a dream after each session to one over all`, ratios[approval].median, { atMost: LIMIT, unit: '×' }),
  );
  const row = (name: string, { median, min, max }: Spread): (string | number)[] => [name, median, min, max];
  return {
    document: { bench: 'dreams', unit: 'ms', ...run, columns, ratios, targets },
    text: [
      textTable(
        ['ms in dreams', 'median', 'min', 'max'],
        Object.entries(columns).map(([name, figure]) => row(name, figure)),
      ),
      textTable(
        ['often to once, by round', 'median', 'min', 'max'],
        APPROVALS.map((approval) => row(approval, ratios[approval])),
      ),
      targetTable(targets),
    ].join('\n\n'),
  };
}
