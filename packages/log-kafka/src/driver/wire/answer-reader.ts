/** What an answer consists of; beyond its end it throws a RangeError. */
export class AnswerReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  int8(): number {
    return this.#bytes.readInt8(this.#skip(1));
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#skip(2));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#skip(4));
  }

  /** Offsets and times: they stay below 2^53. */
  int64(): number {
    return Number(this.#bytes.readBigInt64BE(this.#skip(8)));
  }

  string(): string {
    return this.optionalString() ?? '';
  }

  optionalString(): string | null {
    const length = this.int16();
    return length < 0 ? null : this.#slice(length).toString();
  }

  /** A part of the answer, and no copy of it; null is empty. */
  blob(): Buffer {
    return this.#slice(Math.max(0, this.int32()));
  }

  list<Item>(read: () => Item): Item[] {
    const items: Item[] = [];
    for (let left = this.int32(); left > 0; left -= 1) items.push(read());
    return items;
  }

  #skip(size: number): number {
    const at = this.#at;
    this.#at += size;
    return at;
  }

  #slice(length: number): Buffer {
    const at = this.#skip(length);
    if (this.#at > this.#bytes.length) throw new RangeError('the answer is cut short');
    return this.#bytes.subarray(at, this.#at);
  }
}
