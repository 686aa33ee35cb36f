import { machine } from '../machine.ts';
import {
  interleave,
  summarise,
  type Bench,
  type BenchOptions,
  type Candidate,
  type Progress,
  type Report,
  type Summary,
} from '../rounds.ts';
import { inScratchDirectory } from '../scratch-directory.ts';
import { rounded } from '../statistics.ts';
import { target, type Target } from '../target.ts';
import { targetTable, textTable } from '../text-table.ts';
import { ColumnClient } from './column-client.ts';
import { COLUMNS, type ColumnName, type ColumnRequest } from './column.ts';
import { SCENARIOS, STANDARD_SIZE, Workload, type Counters, type Scenario } from './workload.ts';

/** Turns of one agent for which the cost of a step is compared. */
const GROWTH_TURNS = [10, 50, 200] as const;
type Turns = (typeof GROWTH_TURNS)[number];

const OURS = ['dreamfold-memory', 'dreamfold-sqlite'] as const satisfies readonly ColumnName[];
type Ours = (typeof OURS)[number];

/** Heap is measured over so many times the runs that disk is: what the collector leaves to chance is larger. */
const HEAP_RUNS = 4;

type PerScenario = Record<Scenario, number>;
type Growth = Record<`${Turns}`, number> & { medians: Record<`${Turns}`, number>; ratio: number };
type Clients = Record<ColumnName, ColumnClient>;

export const measureSteps: Bench = (options, progress) =>
  inScratchDirectory(async (directory) => {
    const clients = Object.fromEntries(COLUMNS.map((name) => [name, new ColumnClient(name, directory)])) as Clients;
    try {
      return await measure(clients, options, progress);
    } finally {
      for (const client of Object.values(clients)) client.close();
    }
  });

async function measure(clients: Clients, options: BenchOptions, progress: Progress): Promise<Report> {
  const before = machine();
  const perStep = await measureColumns(clients, options, progress);
  const columns = byColumn(COLUMNS, (column) => byScenario((scenario) => perStep[`${column} ${scenario}`].min));
  const medians = byColumn(COLUMNS, (column) => byScenario((scenario) => perStep[`${column} ${scenario}`].median));
  const ratiosOf = (figures: Record<ColumnName, PerScenario>): Record<Ours, PerScenario> =>
    byColumn(OURS, (column) => byScenario((scenario) => rounded(figures[column][scenario] / figures['ai-sdk'][scenario])));
  const ratios = ratiosOf(columns);
  const growth = await measureGrowth(clients, options, progress);
  progress('disk and heap');
  const diskKiBPerRun = rounded(await clients['dreamfold-sqlite'].ask({ kind: 'disk', size: STANDARD_SIZE, runs: options.runs }));
  const heapGrowthKiBPerRun = await measureHeap(clients, HEAP_RUNS * options.runs);
  const targets = [
    ...OURS.flatMap((column) =>
      SCENARIOS.map((scenario) =>
        target(`${column} to ai-sdk, ${scenario}`, ratios[column][scenario], { atMost: LIMIT[column][scenario], unit: '×' }),
      ),
    ),
    ...OURS.map((column) => target(`${column}: a step of 200 turns to one of 10`, growth[column].ratio, { atMost: 1.2, unit: '×' })),
    target('disk per run of 50 turns', diskKiBPerRun, { atMost: 60, unit: 'KiB' }),
    ...OURS.map((column) => target(`${column}: heap growth per run`, heapGrowthKiBPerRun[column], { atMost: 5, unit: 'KiB' })),
  ];
  const counters = byScenario<Counters>((scenario) => new Workload().expected(scenario));
  const figures = { columns, medians, ratios, medianRatios: ratiosOf(medians), growth, diskKiBPerRun, heapGrowthKiBPerRun };
  return {
    document: { bench: 'steps', unit: 'µs per step, least of all rounds', machine: before, options, counters, ...figures, targets },
    text: textOf({ columns, medians, growth }, targets),
  };
}

const LIMIT: Record<Ours, PerScenario> = {
  'dreamfold-memory': { single: 0.6, team: 0.85 },
  'dreamfold-sqlite': { single: 1.4, team: 1.4 },
};

type Cell = `${ColumnName} ${Scenario}`;

async function measureColumns(clients: Clients, options: BenchOptions, progress: Progress): Promise<Record<Cell, Summary>> {
  const { samples, sampleMs, warmMs, rounds } = options;
  const candidates = SCENARIOS.flatMap((scenario) =>
    COLUMNS.map((column): Candidate<Cell> => {
      const request: ColumnRequest = { kind: 'step', scenario, size: STANDARD_SIZE, samples, sampleMs, warmMs };
      return { name: `${column} ${scenario}`, measure: () => clients[column].ask(request) };
    }),
  );
  return summarised(await interleave(candidates, rounds, (round) => progress(`columns: round ${round} of ${rounds}`)));
}

async function measureGrowth(clients: Clients, options: BenchOptions, progress: Progress): Promise<Record<Ours, Growth>> {
  const { samples, sampleMs, warmMs, rounds } = options;
  const candidates = OURS.flatMap((column) =>
    GROWTH_TURNS.map((turns): Candidate<`${Ours} ${Turns}`> => {
      const size = { ...STANDARD_SIZE, turns };
      const request: ColumnRequest = { kind: 'step', scenario: 'single', size, samples, sampleMs, warmMs };
      return { name: `${column} ${turns}`, measure: () => clients[column].ask(request) };
    }),
  );
  const figures = summarised(await interleave(candidates, rounds, (round) => progress(`growth: round ${round} of ${rounds}`)));
  return byColumn(OURS, (column) => {
    const of = (field: keyof Summary): Record<`${Turns}`, number> => ({
      '10': figures[`${column} 10`][field],
      '50': figures[`${column} 50`][field],
      '200': figures[`${column} 200`][field],
    });
    const least = of('min');
    return { ...least, medians: of('median'), ratio: rounded(least['200'] / least['10']) };
  });
}

async function measureHeap(clients: Clients, runs: number): Promise<Record<ColumnName, number>> {
  const growth = byColumn(COLUMNS, () => 0);
  for (const column of COLUMNS) growth[column] = rounded(await clients[column].ask({ kind: 'heap', size: STANDARD_SIZE, runs }));
  return growth;
}

function summarised<Name extends string>(figures: Record<Name, number[]>): Record<Name, Summary> {
  return Object.fromEntries(Object.entries<number[]>(figures).map(([name, rounds]) => [name, summarise(rounds)])) as Record<Name, Summary>;
}

function byColumn<Name extends ColumnName, T>(names: readonly Name[], of: (name: Name) => T): Record<Name, T> {
  return Object.fromEntries(names.map((name) => [name, of(name)])) as Record<Name, T>;
}

function byScenario<T = number>(of: (scenario: Scenario) => T): Record<Scenario, T> {
  return { single: of('single'), team: of('team') };
}

interface Figures {
  columns: Record<ColumnName, PerScenario>;
  medians: Record<ColumnName, PerScenario>;
  growth: Record<Ours, Growth>;
}

function textOf({ columns, medians, growth }: Figures, targets: readonly Target[]): string {
  const perStep = COLUMNS.map((name) => [name, columns[name].single, medians[name].single, columns[name].team, medians[name].team]);
  return [
    textTable(['µs per step', 'single min', 'median', 'team min', 'median'], perStep),
    textTable(
      ['µs per step', '10 turns', '50', '200'],
      OURS.map((name) => [name, growth[name]['10'], growth[name]['50'], growth[name]['200']]),
    ),
    targetTable(targets),
  ].join('\n\n');
}
