import { setTimeout as delay } from 'node:timers/promises';
import { backoffMs } from '@dreamfold/core/backoff';
import { DEFAULT_CONNECT_TIMEOUT_MS } from './client-config.ts';
import { rootCause } from './client-error.ts';
import { jittered } from './jittered.ts';

const JOIN_AGAIN = { firstMs: 100, maxMs: 2_000 };
/** A member that lived for so long had not the same trouble as the one before it. */
const SETTLED_MS = 10_000;

/** A member of a group from its start to its first failure. */
export interface MemberRun {
  /** Resolves when the group has been joined. */
  start(): Promise<void>;
  /** A broker has answered; what is missing is an answer of the group. */
  readonly isConnected: boolean;
  /** Rejects when this member has failed. */
  lost(): Promise<never>;
  /** Leaves the group when there is time for it, and ends everything that was opened. */
  end(options: { graceful: boolean }): Promise<void>;
}

export interface KeptMemberOptions {
  /** The next one. */
  run: () => MemberRun;
  /** It was lost, or is back (null). */
  onConnection: (error: Error | null) => void;
}

/** Keeps a member in its group: after each failure another is made, with back-off, until `stop`. */
export class KeptMember {
  readonly #options: KeptMemberOptions;
  readonly #stopping = new AbortController();
  readonly #ready = Promise.withResolvers<void>();
  readonly #loop: Promise<void>;
  #run: MemberRun | null = null;
  #started = false;
  #isLate = false;
  #connected = false;

  private constructor(options: KeptMemberOptions, signal: AbortSignal | undefined) {
    this.#options = options;
    // Before the loop, which starts nothing then.
    if (signal?.aborted === true) this.#stopping.abort();
    signal?.addEventListener('abort', () => this.#stopping.abort(), { once: true });
    this.#ready.promise.catch(() => {});
    this.#loop = this.#keep();
  }

  /** @throws Error what the last try met, when none has succeeded in time; a join that is under way then may go on */
  static async start(options: KeptMemberOptions & { timeoutMs?: number | undefined; signal?: AbortSignal }): Promise<KeptMember> {
    const kept = new KeptMember(options, options.signal);
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
      const run = (this.#run = this.#options.run());
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
      if (performance.now() - startedAt > SETTLED_MS) failures = 0;
      await this.#backOff(failures);
    }
    this.#run = null;
    this.#ready.reject(failure);
  }

  async #live(run: MemberRun): Promise<void> {
    // The first time is what `start` waits for, and no news.
    if (this.#started && !this.#stopping.signal.aborted) this.#tell(null);
    this.#started = true;
    this.#connected = true;
    this.#ready.resolve();
    await run.lost();
  }

  /** What a listener throws is not a failure of the member. */
  #tell(error: Error | null): void {
    queueMicrotask(() => this.#options.onConnection(error));
  }

  async #backOff(failures: number): Promise<void> {
    try {
      await delay(jittered(backoffMs(failures + 1, JOIN_AGAIN)), undefined, { signal: this.#stopping.signal });
    } catch {
      // Stopped.
    }
  }
}
