import { appendFileSync, readFileSync, statSync } from 'node:fs';
import { systemErrorCode } from '../../system-error.ts';

/**
 * The streams of a database whose payloads were erased, one a line, in the order of the erasures: whoever keeps something of the log
 * elsewhere follows by it. It is only ever added to, and a mark is its length in bytes.
 */
export class ErasedFile {
  readonly #path: string;

  /** @param database path of the database that it stands beside */
  constructor(database: string) {
    this.#path = `${database}-erased`;
  }

  /**
   * Notes streams, before their erasure is committed and after: the first note outlives a crash in between, the second is for whoever has
   * followed in between. A note without an erasure does no harm.
   */
  add(streams: ReadonlySet<string>): void {
    if (streams.size > 0) appendFileSync(this.#path, [...streams, ''].join('\n'));
  }

  /** @returns null for a mark that this file never gave; a line that is being written belongs to the next call */
  since(mark: number): { mark: number; streams: readonly string[] } | null {
    const size = this.#size();
    if (!Number.isSafeInteger(mark) || mark < 0 || mark > size) return null;
    if (mark === size) return { mark, streams: [] };
    const added = readFileSync(this.#path, 'latin1').slice(mark);
    const whole = added.slice(0, added.lastIndexOf('\n') + 1);
    return { mark: mark + whole.length, streams: [...new Set(whole.split('\n').filter((name) => name !== ''))] };
  }

  #size(): number {
    try {
      return statSync(this.#path).size;
    } catch (error) {
      if (systemErrorCode(error) !== undefined) throw error;
      return 0;
    }
  }
}
