/**
 * What a request consists of, in the types of the protocol: https://kafka.apache.org/protocol#protocol_types. Nearly all requests are of
 * versions below the flexible ones; those have `compact` strings and lists, and tags, of which none is ever written.
 */
export class RequestWriter {
  #bytes = Buffer.allocUnsafe(512);
  #length = 0;

  /** What was written, to be read before more is. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  int8(value: number): this {
    this.#bytes.writeInt8(value, this.#take(1));
    return this;
  }

  int16(value: number): this {
    this.#bytes.writeInt16BE(value, this.#take(2));
    return this;
  }

  int32(value: number): this {
    this.#bytes.writeInt32BE(value, this.#take(4));
    return this;
  }

  int64(value: number): this {
    this.#bytes.writeBigInt64BE(BigInt(value), this.#take(8));
    return this;
  }

  string(text: string | null): this {
    if (text === null) return this.int16(-1);
    const length = Buffer.byteLength(text);
    this.int16(length);
    this.#bytes.write(text, this.#take(length));
    return this;
  }

  compactString(text: string): this {
    const length = Buffer.byteLength(text);
    this.uvarint(length + 1);
    this.#bytes.write(text, this.#take(length));
    return this;
  }

  compactList<Item>(items: readonly Item[], write: (item: Item) => void): this {
    this.uvarint(items.length + 1);
    for (const item of items) write(item);
    return this;
  }

  noTags(): this {
    return this.uvarint(0);
  }

  uvarint(value: number): this {
    let left = value;
    for (; left > 0x7f; left >>>= 7) this.int8((left & 0x7f) - 0x80);
    return this.int8(left);
  }

  blob(bytes: Uint8Array): this {
    this.int32(bytes.length);
    this.#bytes.set(bytes, this.#take(bytes.length));
    return this;
  }

  list<Item>(items: readonly Item[], write: (item: Item) => void): this {
    this.int32(items.length);
    for (const item of items) write(item);
    return this;
  }

  #take(size: number): number {
    const at = this.#length;
    this.#length += size;
    if (this.#length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(2 * this.#length);
      this.#bytes.copy(grown, 0, 0, at);
      this.#bytes = grown;
    }
    return at;
  }
}
