import { within } from './within.ts';

/** A join that takes longer has failed: brokers wait 3 s for more members by default (group.initial.rebalance.delay.ms). */
const JOIN_TIMEOUT_MS = 15_000;
const WATCH_MS = 1_000;

/** How long a join may take: the group waits for a member that was killed until it has been silent for its time-out. */
export function joinTimeoutMs(sessionTimeoutMs: number): number {
  return JOIN_TIMEOUT_MS + sessionTimeoutMs;
}

export interface JoinedGroupOptions {
  topic: string;
  sessionTimeoutMs: number;
  /** After so long without a sign of life a member stands still, though it has not failed. */
  maxSilenceMs: number;
}

/** The life of a member in its group, whichever client it has: its join in time, and its signs of life. */
export class JoinedGroup {
  readonly #options: JoinedGroupOptions;
  readonly #lost = Promise.withResolvers<never>();
  #watch: NodeJS.Timeout | undefined;
  #silentTicks = 0;

  constructor(options: JoinedGroupOptions) {
    this.#options = options;
    this.#lost.promise.catch(() => {});
  }

  /** @throws Error when it has not joined in time, or was lost before */
  async joined(joining: Promise<unknown>): Promise<void> {
    const { topic, sessionTimeoutMs } = this.#options;
    const late = (): Error => new Error(`no answer when joining a group of ${topic}`);
    await within(Promise.race([joining, this.#lost.promise]), joinTimeoutMs(sessionTimeoutMs), late);
    this.#watch = setInterval(() => this.#tick(), WATCH_MS);
    this.#watch.unref();
  }

  alive(): void {
    this.#silentTicks = 0;
  }

  lose(error: Error): void {
    this.#lost.reject(error);
  }

  async lost(): Promise<never> {
    return await this.#lost.promise;
  }

  end(): void {
    clearInterval(this.#watch);
  }

  /** Ticks are counted, not time: a process that was suspended has not waited. */
  #tick(): void {
    this.#silentTicks += 1;
    if (this.#silentTicks * WATCH_MS > this.#options.maxSilenceMs) this.lose(new Error('the consumer stood still'));
  }
}
