import { least, median, rounded } from '../statistics.ts';
import { summarise, type BenchOptions, type Progress, type Summary } from '../rounds.ts';
import type { MeasuredLog } from './measured-log.ts';
import type { Workload } from './workload.ts';

/** ms until a lone append is confirmed, beside ms until a record that was produced is read: the medians of the rounds. */
export interface Latency {
  append: Summary;
  raw: Summary;
  /** The median of what the rounds' medians give, and the least. */
  ratio: number;
  leastRatio: number;
}

/** Appends one event, then produces one record like it, in turn, each after the other was confirmed. */
export async function measureLatency(
  measured: MeasuredLog,
  workload: Workload,
  { options, progress }: { options: BenchOptions; progress: Progress },
): Promise<Latency> {
  const { driver, rawTopic, log } = measured;
  const [record] = (await measured.records()).flat();
  let seen = Promise.withResolvers<void>();
  const from = new Map([[0, (await driver.offsets(rawTopic))![0]!.high]]);
  const tail = await driver.tail({ topic: rawTopic, from, onBatch: () => seen.resolve(), onFailed: (error) => seen.reject(error) });
  const rawOnce = (): Promise<void> => {
    seen = Promise.withResolvers();
    driver.produce(rawTopic, 0, [record!]).catch((error: unknown) => seen.reject(error));
    return seen.promise;
  };
  const appendOnce = (): Promise<void> => workload.appendOne(log, 'session/sesn_lone', 1);
  const turn = async (ms: number): Promise<{ append: number; raw: number }> => {
    const [appends, raws]: [number[], number[]] = [[], []];
    for (const start = performance.now(); performance.now() - start < ms || raws.length === 0;) {
      appends.push(await time(appendOnce));
      raws.push(await time(rawOnce));
    }
    return { append: median(appends), raw: median(raws) };
  };
  await turn(options.warmMs);
  const rounds: { append: number; raw: number }[] = [];
  for (let round = 1; round <= options.rounds; round += 1) {
    progress(`${driver.name}, lone appends: round ${round} of ${options.rounds}`);
    rounds.push(await turn(options.samples * options.sampleMs));
  }
  await tail.stop();
  const ratios = rounds.map(({ append, raw }) => append / raw);
  return {
    append: summarise(rounds.map(({ append }) => append)),
    raw: summarise(rounds.map(({ raw }) => raw)),
    ratio: rounded(median(ratios)),
    leastRatio: rounded(least(ratios)),
  };
}

async function time(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
