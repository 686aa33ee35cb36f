import { parseArgs } from 'node:util';
import type { Bench, BenchOptions } from './rounds.ts';
import { UsageError } from './usage-error.ts';

/** A bench is loaded when it is asked for: it brings whole frameworks with it. */
const BENCHES = [
  {
    name: 'steps',
    summary: 'µs per step of an agent and of a team, beside the AI SDK; growth with the turns, on disk and in memory',
    load: async (): Promise<Bench> => (await import('./steps/steps.ts')).measureSteps,
  },
  {
    name: 'work',
    summary: 'what a step asks of SQLite, of the hash, of JSON and of timers, and what an import loads: counts, the same on any machine',
    load: async (): Promise<Bench> => (await import('./work/work.ts')).measureWork,
  },
  {
    name: 'starts',
    summary: 'the start of a process that imports dreamfold or runs the command, beside that of zod and of nothing',
    load: async (): Promise<Bench> => (await import('./starts/starts.ts')).measureStarts,
  },
  {
    name: 'log',
    summary: 'append and replay beside bare SQLite, verify of a long log',
    load: async (): Promise<Bench> => (await import('./log/log.ts')).measureLog,
  },
  {
    name: 'kafka',
    summary: 'appends and replica of the log on Kafka beside its driver alone, over two drivers; a few minutes',
    load: async (): Promise<Bench> => (await import('./kafka/kafka.ts')).measureKafka,
  },
  {
    name: 'workers',
    summary: 'sessions at once on two workers of a log on Kafka: how fast they come to be under way, and what stays in memory',
    load: async (): Promise<Bench> => (await import('./workers/workers.ts')).measureWorkers,
  },
  {
    name: 'routing',
    summary: 'accuracy on held-out requests, with what dreams learn from the feedback on 8,003 sessions; a minute, scenarios up to 14',
    load: async (): Promise<Bench> => (await import('./routing/routing.ts')).measureRouting,
  },
  {
    name: 'dreams',
    summary: 'wall time of a dream after each session beside one dream over all, for both approvals; a few minutes',
    load: async (): Promise<Bench> => (await import('./dreams/dreams.ts')).measureDreams,
  },
  {
    name: 'recovery',
    summary: 'how often the step after an error is known, on recorded runs of tasks that were not learnt from',
    load: async (): Promise<Bench> => (await import('./recovery/recovery.ts')).measureRecovery,
  },
] as const;

const EXIT = { ok: 0, failed: 1, usage: 2 } as const;
type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const NUMBERS = {
  rounds: { fallback: 5, what: 'turns of every candidate; fewer than 5 say little' },
  samples: { fallback: 3, what: 'samples in a turn, the least of which counts' },
  'sample-ms': { fallback: 250, what: 'ms that a sample repeats the work, at least' },
  'warm-ms': { fallback: 600, what: 'ms of the same work before the first sample' },
  runs: { fallback: 50, what: 'runs over which growth on disk is averaged; in memory four times as many' },
  events: { fallback: 1_000_000, what: 'events of the log that `log` verifies' },
  records: { fallback: 20_000, what: 'events that `kafka` appends in a turn' },
  sessions: { fallback: 1000, what: 'sessions that `dreams` dreams of, that `workers` has under way at once; `routing` takes all' },
  splits: { fallback: 50, what: 'times that `recovery` holds a fifth of the tasks out' },
  seed: { fallback: 1, what: 'which customers ask what in `routing` and `dreams`, which tasks `recovery` holds out' },
  seeds: { fallback: 1, what: 'seeds that `routing` takes the mean of' },
} as const;
type NumberName = keyof typeof NUMBERS;

const HELP = `Usage: pnpm bench NAME [--json] [options]

${BENCHES.map(({ name, summary }) => `  ${name.padEnd(10)}${summary}`).join('\n')}

  --json            print exactly one JSON document on stdout
${Object.entries(NUMBERS)
  .map(([name, { fallback, what }]) => `  --${name} N`.padEnd(20) + `${what} (default ${fallback})`)
  .join('\n')}
  --requests FILE   CSV with the columns text and category that \`routing\` and \`dreams\` learn from (default BANKING77)
  --test FILE       held-out requests of \`routing\` (default the last 2,000 rows of those)
  --scenario NAME   what \`routing\` asks: learning (default), few, null, poison, sparse
  --runs DIR        recorded runs of \`recovery\`: results of tau-bench (default 200 runs of its airline)
  --help            print this

\`kafka\` and \`workers\` use the brokers of KAFKA_BROKERS=host:port, or start one of their own as \`pnpm kafka\` does.

Candidates take turns in each round. The least of a candidate's figures is what it costs on a machine that does nothing else;
compare figures of one run, and take less than 1.3 × for noise. Targets are printed, and never change the exit code.

Exit codes: 0 measured, 1 a bench failed, 2 wrong arguments or a file that can't be read`;

interface Command {
  /** null for the help. */
  bench: (typeof BENCHES)[number] | null;
  json: boolean;
  options: BenchOptions;
}

/** @throws UsageError */
function parse(args: readonly string[]): Command {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
        rounds: { type: 'string' },
        samples: { type: 'string' },
        'sample-ms': { type: 'string' },
        'warm-ms': { type: 'string' },
        runs: { type: 'string' },
        events: { type: 'string' },
        records: { type: 'string' },
        sessions: { type: 'string' },
        splits: { type: 'string' },
        seed: { type: 'string' },
        seeds: { type: 'string' },
        scenario: { type: 'string' },
        requests: { type: 'string' },
        test: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
  const { values, positionals } = parsed;
  const number = (name: NumberName): number => {
    const text = values[name];
    if (text === undefined) return NUMBERS[name].fallback;
    if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
    throw new UsageError(`--${name} is ${JSON.stringify(text)}. Give a whole number from 1.`);
  };
  const bench = values.help ? null : benchOf(positionals);
  // For the bench of recorded runs, a directory.
  const recordedRuns = bench?.name === 'recovery' ? values.runs : undefined;
  const options = {
    rounds: number('rounds'),
    samples: number('samples'),
    sampleMs: number('sample-ms'),
    warmMs: number('warm-ms'),
    runs: bench?.name === 'recovery' ? NUMBERS.runs.fallback : number('runs'),
    events: number('events'),
    records: number('records'),
    sessions: values.sessions === undefined ? null : number('sessions'),
    splits: number('splits'),
    seed: number('seed'),
    seeds: number('seeds'),
    ...(values.requests === undefined ? {} : { requests: values.requests }),
    ...(values.test === undefined ? {} : { test: values.test }),
    ...(values.scenario === undefined ? {} : { scenario: values.scenario }),
    ...(recordedRuns === undefined ? {} : { recordedRuns }),
  };
  return { bench, json: values.json, options };
}

function benchOf(positionals: readonly string[]): (typeof BENCHES)[number] {
  const [name] = positionals;
  const known = BENCHES.map((bench) => bench.name).join(', ');
  if (name === undefined) throw new UsageError(`Name a bench: ${known}.`);
  if (positionals.length > 1) throw new UsageError(`Name one bench at a time, not ${positionals.join(' and ')}.`);
  const bench = BENCHES.find((bench) => bench.name === name);
  if (bench === undefined) throw new UsageError(`There is no bench ${JSON.stringify(name)}. Name one of: ${known}.`);
  return bench;
}

async function main(args: readonly string[]): Promise<ExitCode> {
  const note = (text: string): void => void process.stderr.write(`${text}\n`);
  try {
    const { bench, json, options } = parse(args);
    if (bench === null) {
      process.stdout.write(`${HELP}\n`);
      return EXIT.ok;
    }
    const measure = await bench.load();
    const { document, text } = await measure(options, note);
    process.stdout.write(json ? `${JSON.stringify(document, null, 2)}\n` : `${text}\n`);
    return EXIT.ok;
  } catch (error) {
    if (error instanceof UsageError) note(`${error.message}\nSee pnpm bench --help.`);
    else note(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}

process.exitCode = await main(process.argv.slice(2));
