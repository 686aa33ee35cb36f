/**
 * An append-only list that shares its items with its predecessors: pushing is O(1), and an older list never sees
 * what was pushed later. A session's fold stays linear in its events, however long its threads grow.
 */
export class List<T> implements Iterable<T> {
  static readonly #EMPTY: List<never> = new List<never>([], 0);
  readonly #items: T[];
  readonly length: number;

  private constructor(items: T[], length: number) {
    this.#items = items;
    this.length = length;
  }

  static of<T>(...items: T[]): List<T> {
    return items.length === 0 ? List.#EMPTY : new List(items, items.length);
  }

  push(item: T): List<T> {
    // Only the newest list may write into the shared array; a second push on an older one branches off.
    const items = this.#items.length === this.length && this.length > 0 ? this.#items : this.#items.slice(0, this.length);
    items.push(item);
    return new List(items, this.length + 1);
  }

  at(index: number): T | undefined {
    const i = index < 0 ? this.length + index : index;
    return i >= 0 && i < this.length ? this.#items[i] : undefined;
  }

  /** The items as an array that the caller may keep. */
  toArray(): T[] {
    return this.#items.slice(0, this.length);
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let i = 0; i < this.length; i += 1) yield this.#items[i] as T;
  }
}
