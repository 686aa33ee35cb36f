import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

const SERVER = new URL('command-server.ts', import.meta.url).pathname;

export interface Said {
  /** The exit code, or the trace of what was thrown. */
  code: number | string;
  said: string;
}

/** Runs commands in another process, which is given up when one of them takes too long: it may be stuck in a call of the system. */
export class Commands {
  readonly #directory: string;
  readonly #limitMs: number;
  #child: ChildProcessByStdio<Writable, Readable, null> | null = null;
  #lines: AsyncIterator<string> | null = null;

  constructor(directory: string, limitMs: number) {
    this.#directory = directory;
    this.#limitMs = limitMs;
  }

  /** @returns null when it takes too long */
  async run(args: readonly string[]): Promise<Said | null> {
    if (this.#child === null) this.#start();
    this.#child!.stdin.write(`${JSON.stringify(args)}\n`);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(resolve, this.#limitMs, null);
    });
    const line = await Promise.race([this.#lines!.next(), late]);
    clearTimeout(timer);
    if (line === null || line.done === true) {
      this.stop();
      return line === null ? null : { code: 'the process has ended', said: '' };
    }
    return JSON.parse(line.value) as Said;
  }

  stop(): void {
    this.#child?.kill('SIGKILL');
    this.#child = null;
  }

  #start(): void {
    this.#child = spawn(process.execPath, [SERVER], {
      cwd: this.#directory,
      env: { ...process.env, NO_COLOR: '1', DREAMFOLD_LOG: '' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }
}
