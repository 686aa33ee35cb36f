import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SingleBar } from 'cli-progress';
import { machine } from '../machine.ts';
import type { Bench, BenchOptions, Report } from '../rounds.ts';
import { targetTable } from '../text-table.ts';
import { UsageError } from '../usage-error.ts';
import { few } from './scenarios/few.ts';
import { learning } from './scenarios/learning.ts';
import { nothing } from './scenarios/null.ts';
import { poison } from './scenarios/poison.ts';
import { requestsFor } from './requests.ts';
import { meanOf, type Figures, type Scenario } from './scenarios/scenario.ts';
import { sparse } from './scenarios/sparse.ts';

const SCENARIOS: Readonly<Record<string, Scenario>> = { learning, few, null: nothing, poison, sparse };
/** Seeds that run at once, each in a process of its own. */
const AT_ONCE = 2;
const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

/** How well a team routes real requests, with what dreams have made of the feedback on earlier ones; or what a scenario asks. */
export const measureRouting: Bench = async (options) => {
  const name = options.scenario ?? 'learning';
  const scenario = SCENARIOS[name];
  if (scenario === undefined)
    throw new UsageError(`There is no scenario ${JSON.stringify(name)}. Name one of: ${Object.keys(SCENARIOS).join(', ')}.`);
  const before = machine();
  // What is wrong with the files is said at once.
  requestsFor(options);
  if (options.seeds === 1) return reportOf(await runSeed(scenario, options), { name, scenario, options, machine: before });
  const seeds = await runSeeds(name, options);
  const figures = meanOf(seeds.map(figuresIn));
  const report = reportOf(figures, { name, scenario, options, machine: before });
  return { ...report, document: { ...report.document, seeds } };
};

async function runSeed(scenario: Scenario, options: BenchOptions): Promise<Figures> {
  const bar = new SingleBar({
    stream: process.stderr,
    format: 'sessions [{bar}] {percentage}% | {value}/{total} | held-out accuracy {accuracy} | {eta_formatted} left',
    noTTYOutput: true,
    notTTYSchedule: 5000,
  });
  try {
    return await scenario.run(options, {
      total: (steps) => bar.start(steps, 0, { accuracy: '-' }),
      step: (figure) => bar.increment(1, figure === undefined ? {} : { accuracy: figure.accuracy.toFixed(3) }),
    });
  } finally {
    bar.stop();
  }
}

/** What of a document a scenario has measured. */
function figuresIn(document: Figures): Figures {
  return Object.fromEntries(
    Object.entries(document).filter(([name]) => !['bench', 'scenario', 'seed', 'machine', 'targets'].includes(name)),
  );
}

/** Each seed in a process of its own, since two cores are there. */
async function runSeeds(name: string, options: BenchOptions): Promise<Figures[]> {
  const { requests, test, sessions, seed } = options;
  const documents: Figures[] = [];
  const left = Array.from({ length: options.seeds }, (_, i) => i);
  const given = { requests, test, sessions: sessions ?? undefined, ...(options.scenario === undefined ? {} : { scenario: name }) };
  const shared = Object.entries(given).flatMap(([option, value]) => (value === undefined ? [] : [`--${option}`, String(value)]));
  const work = async (): Promise<void> => {
    for (let i = left.shift(); i !== undefined; i = left.shift()) {
      const args = [MAIN, 'routing', '--json', '--seed', String(seed + i), ...shared];
      const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 64 * 2 ** 20 });
      documents[i] = JSON.parse(stdout) as Figures;
      process.stderr.write(`seed ${seed + i} is done\n`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return documents;
}

function reportOf(
  figures: Figures,
  { name, scenario, options, machine: before }: { name: string; scenario: Scenario; options: BenchOptions; machine: unknown },
): Report {
  const { targets, table } = scenario.tell(figures);
  return {
    document: { bench: 'routing', scenario: name, seed: options.seed, machine: before, ...figures, targets },
    text: [table, targetTable(targets)].join('\n\n'),
  };
}
