import { createRequire } from 'node:module';
import type { KafkaMessage, Message } from 'kafkajs';
import type { DriverRecord, FetchedRecord, HeaderValue } from '../driver.ts';

// kafkajs 2.2.4 makes an encoder of 512 bytes and several buffers for each header, and a new object of all headers for each header
// that it reads: with the ten headers of an event, four fifths of what producing costs. Records of format 2 are written and read here
// instead: https://kafka.apache.org/documentation/#record

/** A message that is written here. kafkajs could write it too. */
export interface LeanMessage extends Message {
  key: string;
  value: Buffer;
  headers: Record<string, string>;
  lean: true;
}

/** A message that was read here. */
type LeanKafkaMessage = KafkaMessage & { fetched?: FetchedRecord };

/** What kafkajs wants of an encoder. */
interface Encoded {
  buf: Buffer;
  buffer: Buffer;
}
type Encode = (message: { lean?: true; offsetDelta: number; timestampDelta: number }) => Encoded;

interface BatchContext {
  firstOffset: string;
  firstTimestamp: string;
  maxTimestamp: string;
  magicByte: number;
  partitionLeaderEpoch: number;
  isControlBatch: boolean;
  timestampType: number;
}
type Decode = (decoder: { buffer: Buffer }, context: BatchContext) => object;

const LOG_APPEND_TIME = 1;

const require = createRequire(import.meta.url);
const FOLDER = 'kafkajs/src/protocol/recordBatch/record/v0';
let mended = false;

/** kafkajs loads both when it sends and fetches for the first time. Whoever has done so before goes on as it was, and so do we. */
export function mendRecordFormat(): void {
  if (mended) return;
  mended = true;
  // There is no other way to it. The version is pinned.
  const encode = require(FOLDER) as Encode;
  const decode = require(`${FOLDER}/decoder`) as Decode;
  replace(FOLDER, ((message) =>
    message.lean ? encodeLean(message as unknown as LeanMessage & { offsetDelta: number }) : encode(message)) satisfies Encode);
  mendEncoder();
  replace(`${FOLDER}/decoder`, ((decoder, context) =>
    context.timestampType === LOG_APPEND_TIME ? decodeRecord(decoder.buffer, context) : decode(decoder, context)) satisfies Decode);
}

interface Encoder {
  buf: Buffer;
  offset: number;
  ensureAvailable: (this: Encoder, length: number) => void;
}

/** A request is put together in eight buffers, one inside the other. Each grew by doubling, and was filled with zeros first. */
function mendEncoder(): void {
  const { prototype } = require('kafkajs/src/protocol/encoder') as { prototype: Encoder };
  prototype.ensureAvailable = function ensureAvailable(this: Encoder, length: number): void {
    if (this.offset + length <= this.buf.length) return;
    // What is not written to costs nothing: the system gives memory page by page.
    const grown = Buffer.allocUnsafeSlow(Math.max(4 * this.buf.length, this.offset + length));
    this.buf.copy(grown, 0, 0, this.offset);
    this.buf = grown;
  };
}

function replace(path: string, exports: unknown): void {
  require.cache[require.resolve(path)]!.exports = exports;
}

export function leanMessage({ key, value, headers }: DriverRecord, partition: number): LeanMessage {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return { key, value: bytes, headers, partition, lean: true };
}

/** The record as this module has read it, null when kafkajs has read it. */
export function fetchedBy(message: KafkaMessage): FetchedRecord | null {
  return (message as LeanKafkaMessage).fetched ?? null;
}

/** All but the value is put together as text of one character a byte: one write is cheaper than forty. */
function encodeLean({ key, value, headers, offsetDelta }: LeanMessage & { offsetDelta: number }): Encoded {
  const keyBytes = byteText(key);
  const begin = `\0\0${varint(offsetDelta)}${varint(keyBytes.length)}${keyBytes}${varint(value.length)}`;
  const names = Object.keys(headers);
  let end = varint(names.length);
  for (const name of names) {
    const [nameBytes, valueBytes] = [byteText(name), byteText(headers[name]!)];
    end += `${varint(nameBytes.length)}${nameBytes}${varint(valueBytes.length)}${valueBytes}`;
  }
  const size = varint(begin.length + value.length + end.length);
  const valueAt = size.length + begin.length;
  const buf = Buffer.allocUnsafe(valueAt + value.length + end.length);
  buf.write(size + begin, 0, 'latin1');
  value.copy(buf, valueAt);
  buf.write(end, valueAt + value.length, 'latin1');
  return { buf, buffer: buf };
}

/** The UTF-8 bytes of a text, one character for each. */
function byteText(text: string): string {
  return Buffer.byteLength(text) === text.length ? text : Buffer.from(text).toString('latin1');
}

const SHORT_VARINTS = Array.from({ length: 1024 }, (_, value) => writeVarint(value));

function varint(value: number): string {
  return SHORT_VARINTS[value] ?? writeVarint(value);
}

/** Zigzag, then seven bits a byte, the lowest first. */
function writeVarint(value: number): string {
  let text = '';
  let rest = value * 2;
  for (; rest > 127; rest >>>= 7) text += String.fromCharCode((rest & 127) | 128);
  return text + String.fromCharCode(rest);
}

function decodeRecord(bytes: Buffer, context: BatchContext): object {
  const reader = new RecordReader(bytes);
  reader.skipByte();
  reader.skipVarint();
  const offset = Number(context.firstOffset) + reader.varint();
  const key = reader.bytes();
  const value = reader.bytes();
  const fetched: FetchedRecord = { offset, term: context.partitionLeaderEpoch, key, value, headers: reader.headers() };
  return {
    magicByte: context.magicByte,
    attributes: 0,
    timestamp: context.maxTimestamp,
    offset: String(offset),
    key,
    value,
    headers: fetched.headers,
    // The marker of somebody's transaction takes an offset too. kafkajs would leave it out, and a gap means that records are missing.
    isControlRecord: false,
    batchContext: context,
    fetched,
  };
}

class RecordReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  skipByte(): void {
    this.#at += 1;
  }

  skipVarint(): void {
    while (this.#bytes[this.#at++]! > 127);
  }

  varint(): number {
    let value = 0;
    let shift = 0;
    let byte: number;
    do {
      byte = this.#bytes[this.#at++]!;
      value |= (byte & 127) << shift;
      shift += 7;
    } while (byte > 127);
    return (value >>> 1) ^ -(value & 1);
  }

  bytes(): Buffer | null {
    const length = this.varint();
    return length < 0 ? null : this.#bytes.subarray(this.#at, (this.#at += length));
  }

  #name(): string {
    const length = this.varint();
    return this.#bytes.toString('utf8', this.#at, (this.#at += length));
  }

  headers(): Record<string, HeaderValue> {
    const headers: Record<string, HeaderValue> = {};
    for (let left = this.varint(); left > 0; left -= 1) {
      const name = this.#name();
      const value = this.bytes();
      if (Object.hasOwn(headers, name)) {
        const before = headers[name] as HeaderValue;
        headers[name] = Array.isArray(before)
          ? [...(before as readonly (Uint8Array | null)[]), value]
          : [before as Uint8Array | null, value];
      } else if (name === '__proto__')
        Object.defineProperty(headers, name, { value, enumerable: true, writable: true, configurable: true });
      else headers[name] = value;
    }
    return headers;
  }
}
