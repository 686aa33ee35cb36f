import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Distribution } from './kafka-distribution.ts';
import { runProgram } from './run-program.ts';

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;
const CLUSTER_ID = 'RHJlYW1mb2xkIHRlc3RzIQ';

// The shell becomes Java; what it leaves behind waits at a pipe whose other end only this process holds. A line says that Java has
// ended; the pipe's end without a line says that this process has, by kill -9 too.
const WATCHED = 'node=$$; { read -r _ <&3 || kill -9 $node; } & exec "$0" "$@" 3<&-';

export interface KafkaNodeOptions {
  distribution: Distribution;
  /** Holds server.properties, data and log.txt. */
  directory: string;
  jvm: readonly string[];
}

/** One broker process, which does not outlive this process. */
export class KafkaNode {
  readonly #options: KafkaNodeOptions;
  readonly #properties: string;
  readonly #log: string;
  #running: { child: ChildProcess; exited: Promise<void> } | null = null;

  constructor(options: KafkaNodeOptions) {
    this.#options = options;
    this.#properties = join(options.directory, 'server.properties');
    this.#log = join(options.directory, 'log.txt');
  }

  /** Prepares the data folder, unless it is: as kafka-storage.sh does. */
  async format(extra: readonly string[] = []): Promise<void> {
    if (existsSync(join(this.#options.directory, 'data/meta.properties'))) return;
    const format = ['format', '--cluster-id', CLUSTER_ID, '--config', this.#properties, ...extra];
    await runProgram(this.#options.distribution.java.program, [...this.#java(), 'kafka.tools.StorageTool', ...format]);
  }

  /**
   * Starts it on the data that is there; resolves when it serves.
   * @throws Error with the end of its log when it does not within a minute
   */
  async start(): Promise<void> {
    if (this.#running !== null) throw new Error(`The broker of ${this.#options.directory} runs already.`);
    const log = openSync(this.#log, 'a');
    const from = fstatSync(log).size;
    const java = [this.#options.distribution.java.program, '-Xms64m', '-Xmx256m', ...this.#java(), 'kafka.Kafka', this.#properties];
    const child = spawn('sh', ['-c', WATCHED, ...java], {
      // Ctrl-C in a terminal goes to this process alone, which then ends its brokers.
      detached: true,
      stdio: ['ignore', log, log, 'pipe'],
    });
    closeSync(log);
    const watch = child.stdio[3] as Writable;
    watch.on('error', () => {}); // The watching shell may be dead already.
    const exited = new Promise<void>((resolve) => {
      child.once('exit', () => {
        watch.end('\n');
        this.#running = null;
        resolve();
      });
    });
    this.#running = { child, exited };
    await this.#ready(child, from);
  }

  /** Sends a signal that ends it; resolves when it has ended. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#running?.child.kill(signal);
    await this.#running?.exited;
  }

  /** Lets it shut down in order. */
  async stop(): Promise<void> {
    const late = setTimeout(() => void this.kill(), STOP_TIMEOUT_MS);
    await this.kill('SIGTERM');
    clearTimeout(late);
  }

  /** Holds the process until `resume`: its connections stay open and silent. */
  suspend(): void {
    this.#running?.child.kill('SIGSTOP');
  }

  resume(): void {
    this.#running?.child.kill('SIGCONT');
  }

  async #ready(child: ChildProcess, from: number): Promise<void> {
    const written = (): string => readFileSync(this.#log).subarray(from).toString();
    const deadline = performance.now() + READY_TIMEOUT_MS;
    while (!written().includes('Kafka Server started')) {
      if (this.#running?.child !== child) throw new Error(`The broker of ${this.#options.directory} ended:\n${written().slice(-4000)}`);
      if (performance.now() > deadline) {
        await this.kill();
        throw new Error(`The broker of ${this.#options.directory} was not ready after ${READY_TIMEOUT_MS} ms:\n${written().slice(-4000)}`);
      }
      await sleep(20);
    }
  }

  #java(): string[] {
    const logger = '-Dorg.slf4j.simpleLogger';
    return [
      // A node that starts fast and stays small, rather than one that is fast after minutes.
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      ...this.#options.jvm,
      `${logger}.defaultLogLevel=warn`,
      `${logger}.log.kafka.server.KafkaRaftServer=info`,
      `${logger}.showDateTime=true`,
      '-cp',
      this.#options.distribution.classpath,
    ];
  }
}
