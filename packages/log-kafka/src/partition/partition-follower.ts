import { setImmediate as nextTurn } from 'node:timers/promises';
import { isAnchored, type Refusal } from '@dreamfold/log';
import type { FoldedAppend, PartitionRecord, PartitionReplica } from '@dreamfold/log/backend';
import { DreamfoldError } from '@dreamfold/events';
import type { FetchedRecord, OffsetRange } from '../driver/driver.ts';
import { sha256 } from '../erasure/digest.ts';

/** Records that are decoded and folded at a time: more would outlive young collections, which costs more than the commits that it saves. */
const CHUNK = 2_048;

export interface FollowerParts {
  topic: string;
  replica: PartitionReplica;
  decode: (records: readonly FetchedRecord[]) => Promise<readonly PartitionRecord[]>;
  onFolded: (folded: readonly FoldedAppend[]) => void;
  onSetAside: (at: { offset: number; reason: Refusal }) => void;
  /** Reads the partition again from an offset. */
  seek: (partition: number, offset: number) => void;
}

/**
 * Folds one partition into its replica, and makes sure that it is still the partition that was folded so far: a topic that was
 * cut short or created anew raises no error in a client, it just has other records. So the last record that was folded is read
 * again at the start and wherever offsets do not follow each other.
 */
export class PartitionFollower {
  readonly #p: FollowerParts;
  /** Offset of the next record to fold. */
  #next: number;
  #checking: boolean;
  #waiting: { offset: number; wake: () => void }[] = [];

  constructor(parts: FollowerParts) {
    this.#p = parts;
    this.#next = parts.replica.anchor().offset;
    this.#checking = this.#next > 0;
  }

  /** Where to begin reading: at the last record that was folded, to see that it is still there. */
  get from(): number {
    return this.#checking ? this.#p.replica.anchor().offset - 1 : this.#next;
  }

  get next(): number {
    return this.#next;
  }

  /** @throws DreamfoldError log_diverged */
  async onBatch(fetched: readonly FetchedRecord[]): Promise<void> {
    const { replica } = this.#p;
    let records = fetched;
    if (this.#checking) {
      const first = records[0]!;
      const anchor = replica.anchor();
      if (first.offset !== anchor.offset - 1) throw this.#diverged(`the record at offset ${anchor.offset - 1} is gone`);
      const [last] = await this.#p.decode([first]);
      if (!isAnchored(anchor, last!, sha256)) throw this.#diverged(`another record stands at offset ${first.offset}`);
      this.#checking = false;
      this.#next = anchor.offset;
      records = records.slice(1);
    }
    if (records.length === 0) return this.#wake();
    const gap = records.findIndex((record, i) => record.offset !== this.#next + i);
    await this.#fold(gap < 0 ? records : records.slice(0, gap));
    if (gap >= 0) this.#checkAgain();
    this.#wake();
  }

  async #fold(records: readonly FetchedRecord[]): Promise<void> {
    for (let from = 0; from < records.length; from += CHUNK) {
      // A log that is read back to back never waits for anything: timers and other partitions must get their turn.
      if (from > 0) await nextTurn();
      await this.#foldChunk(records.slice(from, from + CHUNK));
    }
  }

  async #foldChunk(records: readonly FetchedRecord[]): Promise<void> {
    const decoded = await this.#p.decode(records);
    const folded = this.#p.replica.fold(decoded);
    this.#next = records.at(-1)!.offset + 1;
    this.#p.onFolded(folded);
    for (const { verdict, offset } of folded) {
      if (!verdict.counted && (verdict.reason === 'broken' || verdict.reason === 'torn'))
        this.#p.onSetAside({ offset, reason: verdict.reason });
    }
  }

  /** The connection was lost, or offsets jumped: what was folded last is read again first. */
  #checkAgain(): void {
    const { offset } = this.#p.replica.anchor();
    this.#checking = offset > 0;
    this.#next = offset;
    this.#p.seek(this.#p.replica.partition, this.from);
  }

  /** Number of records that have been folded for good. */
  get folded(): number {
    return this.#p.replica.anchor().offset;
  }

  /**
   * @param folded as it was before the range was asked for
   * @throws DreamfoldError log_diverged when the partition has less
   */
  checkRange({ high }: OffsetRange, folded: number): void {
    if (high < folded) throw this.#diverged(`it ends at offset ${high}, and ${folded} records of it were read`);
  }

  /** Resolves when the record before an offset has been folded. */
  async reached(offset: number): Promise<void> {
    if (!this.#checking && this.#next >= offset) return;
    await new Promise<void>((wake) => this.#waiting.push({ offset, wake }));
  }

  #wake(): void {
    if (this.#checking) return;
    const ready = this.#waiting.filter(({ offset }) => offset <= this.#next);
    if (ready.length === 0) return;
    this.#waiting = this.#waiting.filter(({ offset }) => offset > this.#next);
    for (const { wake } of ready) wake();
  }

  /** Nobody waits any longer. */
  stop(): void {
    for (const { wake } of this.#waiting.splice(0)) wake();
  }

  #diverged(what: string): DreamfoldError {
    return divergedError(this.#place, what);
  }

  get #place(): string {
    return `${this.#p.topic}/${this.#p.replica.partition}`;
  }
}

export function divergedError(place: string, what: string): DreamfoldError {
  return new DreamfoldError('log_diverged', `${place} is not the partition that was read before: ${what}`, {
    path: place,
    remedy:
      'If the topic should not have changed, restore it from a copy of the brokers. When the log is next opened, the local replica is built again where the topic holds all that it held; otherwise it is kept.',
  });
}
