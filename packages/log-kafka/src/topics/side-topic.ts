import { DreamfoldError, isDreamfoldError } from '@dreamfold/events';
import type { SideStore } from '@dreamfold/log/backend';
import { backoffMs } from '@dreamfold/core/backoff';
import { setTimeout as pause } from 'node:timers/promises';
import { ProduceError, type DriverRecord, type FetchedRecord, type KafkaDriver, type Tail } from '../driver/driver.ts';
import { divergedError } from '../partition/partition-follower.ts';
import { PRODUCE_AGAIN, Refusals } from './refusals.ts';
import { missingError } from './topics.ts';

export interface SideTopicParts {
  driver: KafkaDriver;
  topic: string;
  store: SideStore;
  /** Keeps what was read; runs in one transaction with the offset. */
  apply: (records: readonly FetchedRecord[]) => void;
  /** The brokers have refused for some time what is written; null when they take it again. */
  onRefused: (error: Error | null) => void;
  onFailed: (error: Error) => void;
}

/** A topic of one partition beside the events, followed into the node's side store. */
export class SideTopic {
  readonly #p: SideTopicParts;
  readonly #refusals: Refusals;
  #tail: Tail | null = null;
  #next = 0;
  #waiting: { offset: number; settle: (error?: DreamfoldError) => void }[] = [];
  #stopped: DreamfoldError | null = null;

  constructor(parts: SideTopicParts) {
    this.#p = parts;
    this.#refusals = new Refusals(parts.onRefused);
  }

  /** @throws DreamfoldError log_diverged, store_unavailable */
  async start(): Promise<void> {
    const { driver, topic, store } = this.#p;
    const from = (this.#next = store.offset(topic));
    await this.check();
    this.#tail = await driver.tail({
      topic,
      from: new Map([[0, from]]),
      onBatch: (_, records) => this.#onBatch(records),
      onFailed: this.#p.onFailed,
    });
    await this.catchUp();
  }

  /** @throws DreamfoldError log_diverged when the topic ends before what was read of it; store_unavailable */
  async check(): Promise<void> {
    const read = this.#next;
    if ((await this.#high()) < read) throw divergedError(this.#p.topic, `it ends before offset ${read}`);
  }

  async #high(): Promise<number> {
    const ranges = await this.#p.driver.offsets(this.#p.topic);
    if (ranges === null) throw missingError(this.#p.topic);
    return ranges[0]!.high;
  }

  #onBatch(records: readonly FetchedRecord[]): void {
    const { store, topic, apply } = this.#p;
    // After a lost connection records may come twice; compaction leaves gaps.
    const fresh = records.filter(({ offset }) => offset >= this.#next);
    if (fresh.length === 0) return;
    const next = fresh.at(-1)!.offset + 1;
    store.transaction(() => {
      apply(fresh);
      store.setOffset(topic, next);
    });
    this.#next = next;
    this.#wake();
  }

  /**
   * Resolves when all that stands in the topic now has been read.
   * @throws DreamfoldError store_unavailable when no broker says how much that is, or this was stopped
   */
  async catchUp(): Promise<void> {
    const offset = await this.#high();
    if (this.#stopped !== null) throw this.#stopped;
    if (this.#next >= offset) return;
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ offset, settle: (error) => (error === undefined ? resolve() : reject(error)) });
    });
  }

  /**
   * The same, however long the brokers are away.
   * @throws DreamfoldError store_unavailable when this was stopped
   */
  async catchUpAtLast(): Promise<void> {
    for (let failures = 1; ; failures += 1) {
      try {
        await this.catchUp();
        return;
      } catch (error) {
        if (this.#stopped !== null || !isDreamfoldError(error, 'store_unavailable')) throw error;
        await this.#backOff(failures);
      }
    }
  }

  /** Resolves when the brokers have the records; tries until then. */
  async produce(records: readonly DriverRecord[]): Promise<void> {
    for (let failures = 1; ; failures += 1) {
      try {
        await this.#p.driver.produce(this.#p.topic, 0, records);
        this.#refusals.hear(null);
        return;
      } catch (error) {
        if (!(error instanceof ProduceError)) throw error;
        if (this.#stopped !== null) throw this.#stopped;
        this.#refusals.hear(error);
        await this.#backOff(failures);
      }
    }
  }

  #backOff(failures: number): Promise<void> {
    return pause(backoffMs(failures + 1, PRODUCE_AGAIN));
  }

  #wake(): void {
    const ready = this.#waiting.filter(({ offset }) => offset <= this.#next);
    if (ready.length === 0) return;
    this.#waiting = this.#waiting.filter(({ offset }) => offset > this.#next);
    for (const { settle } of ready) settle();
  }

  /** @param reason why nothing more is read, for those who wait */
  async stop(reason: DreamfoldError = this.#closed()): Promise<void> {
    this.#stopped ??= reason;
    for (const { settle } of this.#waiting.splice(0)) settle(reason);
    await this.#tail?.stop();
  }

  #closed(): DreamfoldError {
    return new DreamfoldError('store_unavailable', `The log was closed before ${this.#p.topic} had been read`, {
      remedy: 'Open it again.',
    });
  }
}
