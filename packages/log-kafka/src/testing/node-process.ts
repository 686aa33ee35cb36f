import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import type { Acknowledged } from './load.ts';
import type { Command, Job, Line } from './node-program.ts';

const PROGRAM = join(import.meta.dirname, 'node-program.ts');

/** The parent's end of a node that runs in a process of its own. */
export class NodeProcess {
  readonly #child: ChildProcess;
  readonly #lines: Line[] = [];
  readonly exited: Promise<unknown>;
  #killed = false;
  /** Why it ended when nobody asked it to. */
  failure: Error | null = null;

  constructor(job: Job, onAcknowledged: (ack: Acknowledged) => void = () => {}) {
    const flags = ['--disable-warning=TimeoutNegativeWarning', '--disable-warning=ExperimentalWarning'];
    this.#child = spawn(process.execPath, [...flags, PROGRAM, JSON.stringify(job)], { stdio: ['pipe', 'pipe', 'pipe'] });
    // What is written to a process that was killed is lost.
    this.#child.stdin!.on('error', () => {});
    let errors = '';
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => (errors += text));
    createInterface({ input: this.#child.stdout! }).on('line', (text) => {
      // The last line of a process that was killed may be half a line.
      if (this.#killed && !text.endsWith('}')) return;
      const line = JSON.parse(text) as Line;
      if (line.is === 'acknowledged') onAcknowledged(line.ack);
      else this.#lines.push(line);
    });
    this.exited = once(this.#child, 'close').then(([code, signal]) => {
      if (code !== 0 && !this.#killed) this.failure = new Error(`A node ended with ${code ?? signal}: ${errors}`);
    });
  }

  send(command: Command): void {
    this.#child.stdin!.write(`${JSON.stringify(command)}\n`);
  }

  /** The next line that says something, from the beginning; lines are handed out once. */
  async next<Is extends Line['is']>(is: Is, timeoutMs = 30_000): Promise<Extract<Line, { is: Is }>> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      if (this.failure !== null) throw this.failure;
      const index = this.#lines.findIndex((line) => line.is === is);
      if (index >= 0) return this.#lines.splice(index, 1)[0] as Extract<Line, { is: Is }>;
      if (performance.now() > deadline)
        throw new Error(`A node did not say "${is}" within ${timeoutMs} ms: ${JSON.stringify(this.#lines.slice(-5))}`);
      await pause(5);
    }
  }

  /** All lines so far that say something. */
  taken<Is extends Line['is']>(is: Is): Extract<Line, { is: Is }>[] {
    const taken = this.#lines.filter((line) => line.is === is);
    for (const line of taken) this.#lines.splice(this.#lines.indexOf(line), 1);
    return taken as Extract<Line, { is: Is }>[];
  }

  /** Holds it where it stands until `resume`: its connections stay open and silent. */
  suspend(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  /** `kill -9`; resolves when all that it said was heard. */
  async kill(): Promise<void> {
    this.#killed = true;
    this.#child.kill('SIGKILL');
    await this.exited;
  }

  /** Lets it finish what it does. @throws Error when it failed */
  async stop(): Promise<void> {
    this.send({ do: 'stop' });
    await this.exited;
    if (this.failure !== null) throw this.failure;
  }
}
