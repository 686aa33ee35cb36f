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

  compactString(): string {
    return this.#slice(Math.max(0, this.uvarint() - 1)).toString();
  }

  compactList<Item>(read: () => Item): Item[] {
    const items: Item[] = [];
    for (let left = this.uvarint() - 1; left > 0; left -= 1) items.push(read());
    return items;
  }

  /** Fields that a version of the protocol may leave out, by their number. */
  tags(): Map<number, AnswerReader> {
    const tags = new Map<number, AnswerReader>();
    for (let left = this.uvarint(); left > 0; left -= 1) {
      const tag = this.uvarint();
      tags.set(tag, new AnswerReader(this.#slice(this.uvarint())));
    }
    return tags;
  }

  uvarint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.int8();
      value |= (byte & 0x7f) << shift;
      if (byte >= 0 || shift > 28) return value;
    }
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
