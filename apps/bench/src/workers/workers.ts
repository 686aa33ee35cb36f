import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { agent, open, type Dreamfold } from 'dreamfold';
import { withBrokers } from '../kafka/broker.ts';
import { machine } from '../machine.ts';
import type { Bench, Progress, Report } from '../rounds.ts';
import { inScratchDirectory } from '../scratch-directory.ts';
import { rounded } from '../statistics.ts';
import { target } from '../target.ts';
import { targetTable, textTable } from '../text-table.ts';
import type { WorkerMessage, WorkerRequest } from './worker-process.ts';

const WORKERS = 2;
const PARTITIONS = 12;
const SESSIONS = 1000;
const WAVES = 5;
const POLL_MS = 10;
/** Memory is flat when the last wave takes at most so many times what the second took. */
const LIMIT = 1.1;
/** Before memory is measured: verdicts that are on their way come in. */
const SETTLE_MS = 500;
const HOLDER = agent({ name: 'holder', system: 'Hold.' });
const TASK = '@script [{"tool":"hold","input":{}},{"say":"Done."}]';

interface Wave {
  /** From the first submit until all were in the middle of a tool call at once. */
  startSeconds: number;
  /** From then until all were at rest. */
  endSeconds: number;
  /** Of the workers together: with all sessions under way, and when all were at rest. */
  heldHeapMiB: number;
  restHeapMiB: number;
  restRssMiB: number;
}

/** So many sessions at once on two workers that share a log on Kafka, wave after wave: how fast, and what stays in memory. */
export const measureWorkers: Bench = ({ sessions: asked }, progress) => measure(asked ?? SESSIONS, progress);

const measure = (sessions: number, progress: Progress): Promise<Report> =>
  withBrokers((brokers) =>
    inScratchDirectory(async (directory) => {
      const before = machine();
      const url = `kafka://${brokers}/workers-${process.pid}?partitions=${PARTITIONS}`;
      const dreamfold = await open({ log: url, directory: join(directory, 'client') });
      const workers = Array.from({ length: WORKERS }, (_, i) => new WorkerProcess(url, join(directory, `worker-${i}`)));
      try {
        await until(workers, () => workers.every(({ partitions }) => partitions === PARTITIONS / WORKERS));
        const waves: Wave[] = [];
        for (let n = 1; n <= WAVES; n += 1) waves.push(await wave({ dreamfold, workers, sessions, n }, progress));
        return reportOf(waves, { sessions, workers: WORKERS, machine: before });
      } finally {
        for (const worker of workers) await worker.end();
        await dreamfold.close();
      }
    }),
  );

async function wave(
  { dreamfold, workers, sessions, n }: { dreamfold: Dreamfold; workers: readonly WorkerProcess[]; sessions: number; n: number },
  progress: Progress,
): Promise<Wave> {
  progress(`wave ${n} of ${WAVES}`);
  const sum = (figure: (worker: WorkerProcess) => number): number => workers.reduce((total, worker) => total + figure(worker), 0);
  const memory = (figure: keyof WorkerProcess['memory']): number => sum((worker) => worker.memory[figure]);
  for (const worker of workers) worker.say('hold');
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: sessions }, () => dreamfold.submit(HOLDER, TASK)));
  await until(workers, () => sum(({ held }) => held) === sessions);
  const heldAt = performance.now();
  await sleep(SETTLE_MS);
  await Promise.all(workers.map((worker) => worker.measure()));
  const heldHeapMiB = memory('heapKiB') / 1024;
  const letGoAt = performance.now();
  for (const worker of workers) worker.say('let_go');
  await until(workers, () => sum(({ rested }) => rested) === sessions * n);
  const restedAt = performance.now();
  await sleep(SETTLE_MS);
  await Promise.all(workers.map((worker) => worker.measure()));
  return {
    startSeconds: rounded((heldAt - startedAt) / 1000),
    endSeconds: rounded((restedAt - letGoAt) / 1000),
    heldHeapMiB: rounded(heldHeapMiB, 1),
    restHeapMiB: rounded(memory('heapKiB') / 1024, 1),
    restRssMiB: rounded(memory('rssMiB'), 1),
  };
}

class WorkerProcess {
  partitions = 0;
  held = 0;
  rested = 0;
  memory = { heapKiB: 0, rssMiB: 0 };
  readonly #child: ChildProcess;

  constructor(url: string, directory: string) {
    const program = fileURLToPath(new URL('./worker-process.ts', import.meta.url));
    this.#child = fork(program, [url, directory], { execArgv: ['--expose-gc'] });
    this.#child.on('message', (message: WorkerMessage) => this.#hear(message));
  }

  #hear(message: WorkerMessage): void {
    if (message.type === 'partitions') this.partitions = message.count;
    else if (message.type === 'sessions') [this.held, this.rested] = [message.held, message.rested];
    else this.memory = message;
  }

  say(request: WorkerRequest): void {
    this.#child.send(request);
  }

  async measure(): Promise<void> {
    const before = this.memory;
    this.say('measure');
    await until([this], () => this.memory !== before);
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    this.say('end');
    await once(this.#child, 'exit');
  }

  /** @throws Error when it is gone */
  check(): void {
    if (this.#child.exitCode !== null) throw new Error(`A worker ended with ${this.#child.exitCode}`);
  }
}

/** @throws Error when one of the workers is gone */
async function until(workers: readonly WorkerProcess[], condition: () => boolean): Promise<void> {
  while (!condition()) {
    for (const worker of workers) worker.check();
    await sleep(POLL_MS);
  }
}

function reportOf(waves: readonly Wave[], run: { sessions: number } & Record<string, unknown>): Report {
  // The first wave also compiles, and fills caches.
  const [second, last] = [waves[1]!, waves.at(-1)!];
  const each = ((second.heldHeapMiB - second.restHeapMiB) * 1024) / run.sessions;
  const targets = [
    target('heap with all under way, last wave to second', rounded(last.heldHeapMiB / second.heldHeapMiB), { atMost: LIMIT, unit: '×' }),
    target('heap at rest, last wave to second', rounded(last.restHeapMiB / second.restHeapMiB), { atMost: LIMIT, unit: '×' }),
  ];
  const rows = waves.map((wave, i) => [`wave ${i + 1}`, ...Object.values(wave as unknown as Record<string, number>)]);
  return {
    document: { bench: 'workers', ...run, waves, heapKiBOfSessionUnderWay: rounded(each, 1), targets },
    text: [
      textTable(['', 'all under way, s', 'all at rest, s', 'heap then, MiB', 'heap at rest, MiB', 'RSS, MiB'], rows),
      `A session under way takes ${rounded(each, 1)} KiB of heap.`,
      targetTable(targets),
    ].join('\n\n'),
  };
}
