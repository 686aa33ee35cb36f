import { performance } from 'node:perf_hooks';
import { least, median, rounded } from './statistics.ts';

/** What all benches can be told. */
export interface BenchOptions {
  /** How often every candidate has its turn. */
  rounds: number;
  /** Samples that a candidate takes in its turn; the least of them is the round's figure. */
  samples: number;
  /** A sample repeats the work for at least so long. */
  sampleMs: number;
  /** The work is repeated for so long before anything is measured. */
  warmMs: number;
  /** Runs over which growth on disk is averaged. */
  runs: number;
  /** Events of the log that `verify` reads. */
  events: number;
  /** Events that are appended to a log on Kafka in a turn. */
  records: number;
  /** Sessions that are dreamt of, one after the other or all at once; null for as many as the bench takes by itself. */
  sessions: number | null;
  /** How often tasks are held out at random. */
  splits: number;
  /** Of what is left to chance. */
  seed: number;
  /** How many seeds follow one another, from that one on. */
  seeds: number;
  /** What is asked of the bench, where it can be asked several things. */
  scenario?: string;
  /** CSV files of requests, to learn from and held out; the bench knows what it takes when they are left out. */
  requests?: string;
  test?: string;
  /** A directory of recorded runs. */
  recordedRuns?: string;
}

/** One line of progress. */
export type Progress = (text: string) => void;

export type Bench = (options: BenchOptions, progress: Progress) => Promise<Report>;

/** What a bench found: for programs, and the same for people. */
export interface Report {
  document: Record<string, unknown>;
  text: string;
}

/** The figures of one candidate: the least of all rounds, and the median of the rounds. */
export interface Summary {
  min: number;
  median: number;
}

/** Something that is measured beside others. `measure` gives one round's figure, less is better. */
export interface Candidate<Name extends string> {
  name: Name;
  measure: (round: number) => Promise<number>;
}

/**
 * Gives every candidate its turn in each round, so that what slows the machine for a while slows all of them, and every other
 * round in reverse, so that none always comes after the same one.
 * @returns the figures of each candidate, in the order of the rounds
 */
export async function interleave<Name extends string>(
  candidates: readonly Candidate<Name>[],
  rounds: number,
  progress: (round: number) => void = () => {},
): Promise<Record<Name, number[]>> {
  const figures = Object.fromEntries(candidates.map(({ name }) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = 1; round <= rounds; round += 1) {
    progress(round);
    for (const { name, measure } of round % 2 === 1 ? candidates : candidates.toReversed()) figures[name].push(await measure(round));
  }
  return figures;
}

export function summarise(figures: readonly number[]): Summary {
  return { min: rounded(least(figures)), median: rounded(median(figures)) };
}

/**
 * Repeats work for at least `minMs`.
 * @returns µs that one repetition took on average, and how many there were
 */
export async function sample(work: () => Promise<unknown>, minMs: number): Promise<{ us: number; runs: number }> {
  const start = performance.now();
  for (let runs = 1; ; runs += 1) {
    await work();
    const ms = performance.now() - start;
    if (ms >= minMs) return { us: (ms * 1000) / runs, runs };
  }
}
