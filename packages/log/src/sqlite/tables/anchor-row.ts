import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { ANCHOR_AT_START, type Anchor } from '../../rule/rule.ts';

/** How far a replica has folded its partition. There is one row, or none in a log of its own. */
export class AnchorRow {
  readonly #select: StatementSync;
  readonly #write: StatementSync;

  constructor(db: DatabaseSync) {
    this.#select = db.prepare('SELECT offset, digest, term FROM anchor');
    this.#write = db.prepare('INSERT OR REPLACE INTO anchor (id, offset, digest, term) VALUES (1, ?, ?, ?)');
  }

  begin(): void {
    this.write(ANCHOR_AT_START);
  }

  read(): Anchor | null {
    const row = this.#select.get();
    return row === undefined ? null : ({ ...row } as unknown as Anchor);
  }

  write({ offset, digest, term }: Anchor): void {
    this.#write.run(offset, digest, term);
  }
}
