import type { Refusal } from '@dreamfold/log';

/** What comes within so long of the first record is told with it, and how long what follows is collected. */
const FIRST_MS = 500;
const NEXT_MS = 60_000;

/** A record that was set aside; of several that were set aside together, the last. */
export interface AsidePlace {
  partition: number;
  offset: number;
  reason: Refusal;
}

interface Collected {
  count: number;
  last: AsidePlace;
}

/** Tells an operator of records that were set aside: a line for each partition with their number, and later one a minute at most. */
export class SetAsideNotices {
  readonly #tell: (message: string) => void;
  /** By partition. */
  readonly #collected = new Map<number, Collected>();
  #timer: NodeJS.Timeout | undefined;
  #hasTold = false;

  constructor(tell: (message: string) => void) {
    this.#tell = tell;
  }

  add(at: AsidePlace): void {
    const count = (this.#collected.get(at.partition)?.count ?? 0) + 1;
    this.#collected.set(at.partition, { count, last: at });
    this.#timer ??= setTimeout(() => this.flush(), this.#hasTold ? NEXT_MS : FIRST_MS).unref();
  }

  /** Tells at once what was collected. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const collected of this.#collected.values()) this.#tell(lineOf(collected));
    this.#hasTold ||= this.#collected.size > 0;
    this.#collected.clear();
  }
}

function lineOf({ count, last: { partition, offset, reason } }: Collected): string {
  if (count > 1) {
    return `${count} records of partition ${partition}, the last at offset ${offset}, are no events of this log; they were set aside with their bytes, and \`dreamfold verify\` lists them.`;
  }
  const what = reason === 'torn' ? 'belongs to an append of which the rest is missing' : 'is no event of this log';
  return `The record at offset ${offset} of partition ${partition} ${what}; it was set aside with its bytes.`;
}
