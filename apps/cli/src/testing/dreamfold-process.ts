import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

const BIN = new URL('../bin.ts', import.meta.url).pathname;
const TERMINAL = new URL('terminal-process.ts', import.meta.url).pathname;
/** What a command to copy begins with when it is printed to a `Workspace`. */
export const PROGRAM = `node ${BIN}`;
/** A command starts in half the time when another has compiled its code. */
const COMPILE_CACHE = new URL('../../../../node_modules/.cache/compiled', import.meta.url).pathname;

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A directory of its own for one test file, away from any package.json and node_modules. */
export class Workspace {
  readonly path = mkdtempSync(join(tmpdir(), 'dreamfold-cli-'));

  file(name: string, text: string): string {
    writeFileSync(join(this.path, name), text);
    return name;
  }

  lines(name: string): string[] {
    return readFileSync(join(this.path, name), 'utf8').split('\n');
  }

  /**
   * Starts the command; `output` is what it has said so far.
   * @param within the program, with its arguments, that runs it
   */
  start(args: readonly string[], env: Record<string, string> = {}, within: readonly string[] = []): Running {
    const [program, ...rest] = [...within, process.execPath, BIN, ...args] as [string, ...string[]];
    return new Running(spawn(program, rest, { ...this.#options(env), stdio: ['ignore', 'pipe', 'pipe'] }));
  }

  /** Starts the command on a terminal, at which `type` types. */
  onTerminal(args: readonly string[], env: Record<string, string> = {}): Running {
    const child = spawn(process.execPath, [TERMINAL, ...args], { ...this.#options(env), stdio: ['pipe', 'pipe', 'pipe'] });
    return new Running(child, child.stdin);
  }

  #options(env: Record<string, string>): { cwd: string; env: Record<string, string | undefined> } {
    return { cwd: this.path, env: { ...process.env, NO_COLOR: '1', NODE_COMPILE_CACHE: COMPILE_CACHE, ...env } };
  }

  run(...args: string[]): Promise<Ended> {
    return this.start(args).ended;
  }

  /** Runs with --json and parses stdout as the one document that it is. */
  async json(...args: string[]): Promise<{ code: number | null; document: any }> {
    const { code, stdout } = await this.run(...args, '--json');
    return { code, document: JSON.parse(stdout) };
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export class Running {
  stdout = '';
  stderr = '';
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcessByStdio<Writable | null, Readable, Readable>;
  readonly #keyboard: Writable | null;
  #heard: (() => void)[] = [];

  constructor(child: ChildProcessByStdio<Writable | null, Readable, Readable>, keyboard: Writable | null = null) {
    this.#child = child;
    this.#keyboard = keyboard;
    child.stdout.setEncoding('utf8').on('data', (text: string) => this.#hear('stdout', text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => this.#hear('stderr', text));
    this.ended = new Promise((resolve) =>
      child.on('close', (code, signal) => resolve({ code, signal, stdout: this.stdout, stderr: this.stderr })),
    );
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  type(keys: string): void {
    this.#keyboard?.write(keys);
  }

  /** Resolves with the match once stdout has said so. */
  said(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#match('stdout', pattern);
  }

  /** Resolves with the match once stderr has said so. */
  noted(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#match('stderr', pattern);
  }

  async #match(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this[stream]);
      if (match !== null) return match;
      await new Promise<void>((resolve) => this.#heard.push(resolve));
    }
  }

  #hear(stream: 'stdout' | 'stderr', text: string): void {
    this[stream] += text;
    for (const wake of this.#heard.splice(0)) wake();
  }
}

/** A team of one, on scripts, with a tool that asks first and one that takes a minute, unless there is a file called `go`. */
export const DESK = `
import { agent, tool } from 'dreamfold';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
const input = z.object({ order: z.string() });
const refund = tool({ name: 'refund', description: 'Pays back.', input, effect: 'keyed', policy: 'always_ask', run: ({ order }) => 'paid ' + order });
const find = tool({ name: 'find', description: 'Finds.', input, effect: 'pure', run: ({ order }) => 'shipped ' + order });
const wait = tool({ name: 'wait', description: 'Takes long.', input: z.object({}), effect: 'pure', run: (_, { signal }) => existsSync('go') ? 'went' : sleep(60000, undefined, { signal }) });
export default agent({ name: 'desk', system: 'Help.', tools: [refund, find, wait] });
`;

export const REFUND = '@script [{"tool":"refund","input":{"order":"7"}},{"say":"Paid back."}]';
