import { createRequire } from 'node:module';
import type cliProgress from 'cli-progress';

const PATIENCE_MS = 1000;

/** Loaded for the first bar that is shown: most commands end before. */
function library(): typeof cliProgress {
  return createRequire(import.meta.url)('cli-progress') as typeof cliProgress;
}

/** Shows nothing for work that is done within a second, a bar on a terminal, and a line now and then elsewhere. */
export class ProgressBar {
  readonly #label: string;
  readonly #stream: NodeJS.WriteStream;
  readonly #now: () => string;
  readonly #start = performance.now();
  #bar: cliProgress.SingleBar | null = null;

  /** @param now what each line begins with, where lines of others have their time */
  constructor(label: string, stream: NodeJS.WriteStream, now: () => string = () => '') {
    this.#label = label;
    this.#stream = stream;
    this.#now = now;
  }

  update(done: number, total: number): void {
    if (this.#bar !== null) {
      this.#bar.setTotal(total);
      this.#bar.update(done, { now: this.#now() });
    } else if (performance.now() - this.#start >= PATIENCE_MS) {
      const { Format, Presets, SingleBar } = library();
      // What is not known yet comes as a word, of which the library's own format shows the last two letters.
      const formatTime: cliProgress.TimeFormatter = (seconds: unknown, options, roundTo) =>
        typeof seconds === 'number' ? Format.TimeFormat(seconds, options, roundTo) : '?';
      this.#bar = new SingleBar(
        {
          stream: this.#stream,
          format: `{now}${this.#label} [{bar}] {percentage}% | {value}/{total} | {eta_formatted} left`,
          formatTime,
          noTTYOutput: true,
          notTTYSchedule: 2000,
          clearOnComplete: true,
        },
        Presets.legacy,
      );
      this.#bar.start(total, done, { now: this.#now() });
    }
  }

  stop(): void {
    this.#bar?.stop();
  }
}
