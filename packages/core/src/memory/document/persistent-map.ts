const BUCKETS = 256;

interface Entry<V> {
  readonly key: string;
  readonly value: V;
  /** Its place among all keys, in the order in which they were first set. */
  readonly order: number;
}

type Bucket<V> = readonly Entry<V>[];

const NOTHING: Bucket<never> = [];

/**
 * A map that never changes: setting gives a new one, which shares with the old one all but a 256th part. So a fold that
 * keeps its earlier states stays near-linear over many thousands of keys.
 */
export class PersistentMap<V> implements Iterable<V> {
  static readonly #EMPTY = new PersistentMap<never>(
    Array.from({ length: BUCKETS }, () => NOTHING),
    0,
  );
  readonly #buckets: readonly Bucket<V>[];
  readonly size: number;

  private constructor(buckets: readonly Bucket<V>[], size: number) {
    this.#buckets = buckets;
    this.size = size;
  }

  static empty<V>(): PersistentMap<V> {
    return PersistentMap.#EMPTY;
  }

  get(key: string): V | undefined {
    return this.#buckets[bucketOf(key)]!.find((entry) => entry.key === key)?.value;
  }

  set(key: string, value: V): PersistentMap<V> {
    const at = bucketOf(key);
    const bucket = this.#buckets[at]!;
    const index = bucket.findIndex((entry) => entry.key === key);
    const order = bucket[index]?.order ?? this.size;
    const buckets = this.#buckets.slice();
    buckets[at] = index === -1 ? [...bucket, { key, value, order }] : bucket.with(index, { key, value, order });
    return new PersistentMap(buckets, index === -1 ? this.size + 1 : this.size);
  }

  /** The values, in the order in which their keys were first set. */
  *[Symbol.iterator](): IterableIterator<V> {
    for (const { value } of this.#buckets.flat().sort((a, b) => a.order - b.order)) yield value;
  }
}

/** FNV-1a. */
function bucketOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i += 1) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 16)) & (BUCKETS - 1);
}
