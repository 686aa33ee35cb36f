import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { SetAside } from '../../rule/replica.ts';
import type { Refusal } from '../../rule/rule.ts';
import { checkRises } from '../database/sqlite-error.ts';

const MAX_BYTES = 1024 * 1024;

/** Records of a partition that are no events, for a person to look at. */
export class SetAsideTable {
  readonly #partition: number;
  readonly #insert: StatementSync;
  readonly #next: StatementSync;

  constructor(db: DatabaseSync, partition: number) {
    this.#partition = partition;
    this.#insert = db.prepare('INSERT INTO set_aside (offset, reason, bytes) VALUES (?, ?, ?)');
    this.#next = db.prepare('SELECT offset, reason, bytes FROM set_aside WHERE offset > ? ORDER BY offset LIMIT 1');
  }

  add(record: { offset: number; bytes: string }, reason: Refusal): void {
    this.#insert.run(record.offset, reason, Buffer.from(record.bytes).subarray(0, MAX_BYTES));
  }

  /** One at a time, since each may be large. */
  *all(): Generator<SetAside, void, undefined> {
    for (let last = -1, row = this.#next.get(last); row !== undefined; row = this.#next.get(last)) {
      const { offset, reason, bytes } = row;
      checkRises(offset, last);
      last = offset as number;
      yield {
        partition: this.#partition,
        offset: last,
        reason: reason as Refusal,
        bytes: Buffer.from(bytes as Uint8Array).toString(),
      };
    }
  }
}
