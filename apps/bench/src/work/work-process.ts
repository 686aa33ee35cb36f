// node --import ./counters.ts work-process.ts JOB: does a job, and prints what it took as one JSON object.
import { inScratchDirectory } from '../scratch-directory.ts';
import { takeCounts, type WorkCounts } from './counters.ts';
import type { WorkJob } from './work.ts';

/** So many runs before the counted ones: the first prepares statements and learns names. */
const WARM_RUNS = 5;
const RUNS = 10;
/** Sessions of a store that dreams after each of them. */
const DREAMS = 200;
const PRINCIPALS = 150;

const JOBS: Record<WorkJob, (directory: string) => Promise<WorkCounts>> = {
  'memory single': () => steps('memory', 'single'),
  'memory team': () => steps('memory', 'team'),
  'sqlite single': (directory) => steps('sqlite', 'single', directory),
  'sqlite team': (directory) => steps('sqlite', 'team', directory),
  'list of 10': (directory) => list(directory, 10),
  'list of 1000': (directory) => list(directory, 1000),
  'dreams manual': (directory) => dreams('manual', directory),
  'dreams auto': (directory) => dreams('auto', directory),
  import: async () => {
    takeCounts();
    await import('dreamfold');
    return takeCounts();
  },
};

/** What one step of an agent takes: a model call and what follows from it. */
async function steps(kind: 'memory' | 'sqlite', scenario: 'single' | 'team', directory = ''): Promise<WorkCounts> {
  const { Workload } = await import('../steps/workload.ts');
  const { memoryColumn, sqliteColumn } = await import('../steps/dreamfold-column.ts');
  const workload = new Workload();
  const column = kind === 'memory' ? memoryColumn(workload) : await sqliteColumn(workload, directory);
  for (let run = 0; run < WARM_RUNS; run += 1) await column.run(scenario);
  takeCounts();
  for (let run = 0; run < RUNS; run += 1) await column.run(scenario);
  const counts = takeCounts();
  await column.close();
  workload.settle(scenario, WARM_RUNS + RUNS);
  const made = workload.expected(scenario).model * RUNS;
  return each(counts, made);
}

/** What one dream takes, of those after each session of routed requests: most only learn, and some look at all that is known. */
async function dreams(approval: 'manual' | 'auto', directory: string): Promise<WorkCounts> {
  const { open } = await import('dreamfold');
  const { BANKING77, readRequests } = await import('../routing/request-file.ts');
  const { routeRequest } = await import('../routing/route-request.ts');
  const { specialist } = await import('../routing/specialist.ts');
  const requests = readRequests(BANKING77);
  const agent = specialist([...new Set(requests.map(({ queue }) => queue))].sort());
  const dreamfold = await open({ directory });
  await dreamfold.memory.create({ name: 'routing', description: '', approval }, 'bench');
  const sum: WorkCounts = {};
  for (const [i, request] of requests.slice(0, DREAMS).entries()) {
    await routeRequest(dreamfold, agent, { request: { ...request, principal: `customer-${i % PRINCIPALS}` }, memory: ['routing'] });
    takeCounts();
    await dreamfold.dream({ store: 'routing' });
    for (const [name, n] of Object.entries(takeCounts())) sum[name] = (sum[name] ?? 0) + n;
  }
  await dreamfold.close();
  return each(sum, DREAMS);
}

function each(counts: WorkCounts, times: number): WorkCounts {
  return Object.fromEntries(Object.entries(counts).map(([name, n]) => [name, Math.round((1000 * n) / times) / 1000]));
}

/** What the newest five of so many sessions take, from opening the data directory to closing it, when nothing is new on the log. */
async function list(directory: string, sessions: number): Promise<WorkCounts> {
  const { open } = await import('dreamfold');
  const { addSessions } = await import('./many-sessions.ts');
  const writer = await open({ directory });
  await addSessions(writer.log, sessions);
  await writer.lists.catchUp();
  await writer.close();
  takeCounts();
  const reader = await open({ directory, readOnly: true });
  const { rows } = await reader.lists.sessions({ limit: 5 });
  await reader.close();
  const { modules: _, ...counts } = takeCounts();
  if (rows.length !== 5) throw new Error(`The list has ${rows.length} rows`);
  return counts;
}

const counts = await inScratchDirectory(JOBS[process.argv[2] as WorkJob]);
process.stdout.write(`${JSON.stringify(counts)}\n`);
