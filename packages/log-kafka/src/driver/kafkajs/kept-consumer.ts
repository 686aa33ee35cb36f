import { setTimeout as delay } from 'node:timers/promises';
import { DEFAULT_CONNECT_TIMEOUT_MS } from './client.ts';
import { rootCause } from './client-error.ts';
import { ConsumerRun, type ConsumerRunOptions } from './consumer-run.ts';

const BACKOFF_MIN_MS = 100;
const BACKOFF_MAX_MS = 5_000;
/** A consumer that lived for so long had not the same trouble as the one before it. */
const SETTLED_MS = 10_000;

export interface KeptConsumerOptions {
  /** Of the next consumer. */
  run: () => ConsumerRunOptions;
  /** It was lost, or is back (null). */
  onConnection: (error: Error | null) => void;
}

/** Keeps a consumer running: after each failure another is made, with back-off, until `stop`. */
export class KeptConsumer {
  readonly #options: KeptConsumerOptions;
  readonly #stopping = new AbortController();
  readonly #ready = Promise.withResolvers<void>();
  readonly #loop: Promise<void>;
  #run: ConsumerRun | null = null;
  #started = false;
  #isLate = false;
  #connected = false;

  private constructor(options: KeptConsumerOptions, signal: AbortSignal | undefined) {
    this.#options = options;
    // Before the loop, which starts nothing then.
    if (signal?.aborted === true) this.#stopping.abort();
    signal?.addEventListener('abort', () => this.#stopping.abort(), { once: true });
    this.#ready.promise.catch(() => {});
    this.#loop = this.#keep();
  }

  /** @throws Error what the last try met, when none has succeeded in time; a join that is under way then may go on */
  static async start(options: KeptConsumerOptions & { timeoutMs?: number | undefined; signal?: AbortSignal }): Promise<KeptConsumer> {
    const kept = new KeptConsumer(options, options.signal);
    const timer = setTimeout(() => kept.#beLate(), options.timeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS);
    try {
      await kept.#ready.promise;
      return kept;
    } finally {
      clearTimeout(timer);
    }
  }

  #beLate(): void {
    this.#isLate = true;
    if (this.#run?.isConnected !== true) this.#stopping.abort();
  }

  seek(partition: number, offset: number): void {
    this.#run?.seek(partition, offset);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  async #keep(): Promise<void> {
    const stopped = new Promise<void>((resolve) => {
      this.#stopping.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    let failure = new Error('no broker answered in time');
    for (let failures = 0; !this.#stopping.signal.aborted; failures += 1) {
      const run = (this.#run = new ConsumerRun(this.#options.run()));
      const startedAt = performance.now();
      try {
        await Promise.race([run.start().then(async () => await this.#live(run)), stopped]);
      } catch (error) {
        failure = rootCause(error);
        if (this.#connected) this.#tell(failure);
        else if (this.#isLate && !this.#started) this.#stopping.abort();
        this.#connected = false;
      }
      await run.end({ graceful: this.#stopping.signal.aborted });
      // Two consumers never hand over at the same time.
      await Promise.race([run.drained(), stopped]);
      if (performance.now() - startedAt > SETTLED_MS) failures = 0;
      await this.#backOff(failures);
    }
    this.#run = null;
    this.#ready.reject(failure);
  }

  async #live(run: ConsumerRun): Promise<void> {
    // The first time is what `start` waits for, and no news.
    if (this.#started && !this.#stopping.signal.aborted) this.#tell(null);
    this.#started = true;
    this.#connected = true;
    this.#ready.resolve();
    await run.lost();
  }

  /** What a listener throws is not a failure of the consumer. */
  #tell(error: Error | null): void {
    queueMicrotask(() => this.#options.onConnection(error));
  }

  async #backOff(failures: number): Promise<void> {
    const longest = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** failures);
    try {
      await delay(longest * (0.5 + Math.random() / 2), undefined, { signal: this.#stopping.signal });
    } catch {
      // Stopped.
    }
  }
}
