import { createRequire } from 'node:module';
import { Kafka, type IHeaders, type KafkaMessage, type Message } from 'kafkajs';
import type { DriverRecord, FetchedRecord, HeaderValue } from '../driver.ts';
import { encodeBatch } from './record-batch.ts';

// kafkajs 2.2.4 copies the list of messages for each message of a request, makes an encoder of 512 bytes and several buffers for each
// header, and a new object of all headers for each header that it reads: with the ten headers of an event, four fifths of what producing
// costs. Batches and records of format 2 are written and read here instead: https://kafka.apache.org/documentation/#recordbatch

/** Several records that kafkajs takes for one message. They are written here. */
interface LeanMessage extends Message {
  lean: readonly DriverRecord[];
}

/** What kafkajs wants of an encoder. */
interface Encoded {
  buf: Buffer;
  buffer: Buffer;
  size: () => number;
}
type Encode = (message: LeanMessage | Message) => LeanMessage | Encoded;

interface BatchOptions {
  records: readonly (LeanMessage | Encoded)[];
  firstTimestamp: number;
}
type EncodeBatch = (options: BatchOptions) => Promise<Encoded>;

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
const FOLDER = 'kafkajs/src/protocol/recordBatch';
let mended = false;
let writesLean = false;

/** kafkajs loads these when it sends and fetches for the first time. Whoever has done so before goes on as it was, and so do we. */
export function mendRecordFormat(): void {
  if (mended) return;
  mended = true;
  // Nor can a copy of kafkajs that a bundler has made be mended.
  const isSame = (require('kafkajs') as typeof import('kafkajs')).Kafka === Kafka;
  writesLean = isSame && require.cache[require.resolve('kafkajs/src/protocol/requests/produce/v3/request')] === undefined;
  // There is no other way to it. The version is pinned.
  const encode = require(`${FOLDER}/record/v0`) as Encode;
  const decode = require(`${FOLDER}/record/v0/decoder`) as Decode;
  const batch = require(`${FOLDER}/v0`) as { RecordBatch: EncodeBatch };
  replace(`${FOLDER}/record/v0`, ((message) => ('lean' in message ? message : encode(message))) satisfies Encode);
  const encodeRecords: EncodeBatch = async (options) => {
    const [first] = options.records;
    return first !== undefined && 'lean' in first
      ? encoded(encodeBatch(first.lean, options.firstTimestamp))
      : await batch.RecordBatch(options);
  };
  replace(`${FOLDER}/v0`, { ...batch, RecordBatch: encodeRecords });
  mendEncoder();
  replace(`${FOLDER}/record/v0/decoder`, ((decoder, context) =>
    context.timestampType === LOG_APPEND_TIME ? decodeRecord(decoder.buffer, context) : decode(decoder, context)) satisfies Decode);
}

function encoded(buf: Buffer): Encoded {
  return { buf, buffer: buf, size: () => buf.length };
}

interface Encoder {
  buf: Buffer;
  offset: number;
  ensureAvailable: (this: Encoder, length: number) => void;
}

/** A request is put together in five buffers around its batch, one inside the other. Each grew by doubling, and was filled with zeros first. */
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

/** Records as kafkajs takes them. */
export function messagesOf(records: readonly DriverRecord[], partition: number): Message[] {
  const lean: LeanMessage = { value: null, partition, lean: records };
  if (writesLean) return [lean];
  return records.map(({ key, value, headers }) => ({ key, value: Buffer.from(value), headers: { ...headers }, partition }));
}

/** The record as this module has read it, null when kafkajs has read it. */
export function fetchedBy(message: KafkaMessage): FetchedRecord | null {
  return message instanceof ReadMessage ? message.fetched : null;
}

function decodeRecord(bytes: Buffer, context: BatchContext): ReadMessage {
  return new ReadMessage(new LeanRecord(bytes, context), context);
}

/** A record as kafkajs gives it, also to other consumers in this process: only `headers` is not a property of its own. */
class ReadMessage {
  readonly fetched: LeanRecord;
  readonly batchContext: BatchContext;
  readonly magicByte: number;
  readonly timestamp: string;
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly attributes = 0;
  // The marker of somebody's transaction takes an offset too. kafkajs would leave it out, and a gap means that records are missing.
  readonly isControlRecord = false;

  constructor(fetched: LeanRecord, context: BatchContext) {
    this.fetched = fetched;
    this.batchContext = context;
    this.magicByte = context.magicByte;
    this.timestamp = context.maxTimestamp;
    this.offset = String(fetched.offset);
    this.key = fetched.key;
    this.value = fetched.value;
  }

  get headers(): IHeaders {
    return this.fetched.headers as IHeaders;
  }
}

/** A record whose headers are read when they are asked for. */
class LeanRecord implements FetchedRecord {
  readonly offset: number;
  readonly term: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly #bytes: Buffer;
  readonly #headersAt: number;
  #at = 1;

  constructor(bytes: Buffer, { firstOffset, partitionLeaderEpoch }: BatchContext) {
    this.#bytes = bytes;
    // Its timestamp is the batch's.
    this.#varint();
    this.offset = Number(firstOffset) + this.#varint();
    this.term = partitionLeaderEpoch;
    this.key = this.#slice();
    this.value = this.#slice();
    this.#headersAt = this.#at;
  }

  get headers(): Record<string, HeaderValue> {
    const headers: Record<string, HeaderValue> = {};
    this.#at = this.#headersAt;
    for (let left = this.#varint(); left > 0; left -= 1) {
      const length = this.#varint();
      const name = this.#bytes.toString('utf8', this.#at, (this.#at += length));
      const before = Object.hasOwn(headers, name) ? headers[name] : undefined;
      const value = joined(before, this.#slice());
      if (name === '__proto__') Object.defineProperty(headers, name, { value, enumerable: true, writable: true, configurable: true });
      else headers[name] = value;
    }
    return headers;
  }

  /** @param name in ASCII */
  header(name: string): HeaderValue | undefined {
    let found: HeaderValue | undefined;
    this.#at = this.#headersAt;
    for (let left = this.#varint(); left > 0; left -= 1) {
      const length = this.#varint();
      const isIt = length === name.length && this.#stands(name);
      this.#at += length;
      if (isIt) found = joined(found, this.#slice());
      else this.#skip();
    }
    return found;
  }

  #stands(name: string): boolean {
    for (let i = 0; i < name.length; i += 1) if (this.#bytes[this.#at + i] !== name.charCodeAt(i)) return false;
    return true;
  }

  /** Zigzag, then seven bits a byte, the lowest first. */
  #varint(): number {
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

  #skip(): void {
    const length = this.#varint();
    this.#at += Math.max(0, length);
  }

  #slice(): Buffer | null {
    const length = this.#varint();
    return length < 0 ? null : this.#bytes.subarray(this.#at, (this.#at += length));
  }
}

/** What stands under a name of which another value has been read before. */
function joined(before: HeaderValue | undefined, value: Uint8Array | null): HeaderValue {
  if (before === undefined) return value;
  return Array.isArray(before) ? [...(before as readonly (Uint8Array | null)[]), value] : [before as Uint8Array | null, value];
}
