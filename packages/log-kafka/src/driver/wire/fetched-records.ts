import { DreamfoldError } from '@dreamfold/events';
import type { FetchedRecord, HeaderValue } from '../driver.ts';
import { AT } from './record-batch.ts';

/** The lowest bits of a batch's attributes. */
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
const CODEC_MASK = 7;

export interface ReadBatches {
  records: FetchedRecord[];
  /** Offset after the last whole batch, also where its last records were compacted away; null when there is no whole batch. */
  next: number | null;
}

/**
 * Reads the record batches of a fetch answer, from an offset: brokers send whole batches, and cut the last one short.
 * The marker of somebody's transaction is a record too: it takes an offset, and a gap would mean that records are missing.
 * @param bytes records keep them, and are read from them when they are asked
 * @throws DreamfoldError config_invalid for a batch that is compressed, or of a format before 2
 */
export function readBatches(bytes: Buffer, from: number): ReadBatches {
  const records: FetchedRecord[] = [];
  let next: number | null = null;
  for (let at = 0; at + AT.records <= bytes.length;) {
    const end = at + AT.magic - 4 + bytes.readInt32BE(at + AT.batchLength);
    if (end > bytes.length || end < at + AT.records) break;
    checkFormat(bytes, at);
    const base = Number(bytes.readBigInt64BE(at));
    const term = bytes.readInt32BE(at + AT.term);
    let begin: number = at + AT.records;
    for (let left = bytes.readInt32BE(at + AT.recordCount); left > 0; left -= 1) {
      const record = new LeanRecord(bytes, begin, { base, term });
      begin = record.end;
      if (record.offset >= from) records.push(record);
    }
    next = base + bytes.readInt32BE(at + AT.lastOffsetDelta) + 1;
    at = end;
  }
  return { records, next };
}

function checkFormat(bytes: Buffer, at: number): void {
  const magic = bytes[at + AT.magic]!;
  const codec = bytes.readInt16BE(at + AT.attributes) & CODEC_MASK;
  if (magic === 2 && codec === 0) return;
  const what = magic === 2 ? `is compressed with ${CODECS[codec] ?? codec}` : `has format ${magic}`;
  throw new DreamfoldError('config_invalid', `The record batch at offset ${bytes.readBigInt64BE(at)} ${what}`, {
    path: 'compression.type',
    remedy: 'Set compression.type of the topic to uncompressed: the brokers unpack then what others have compressed.',
  });
}

/** A record whose headers are read when they are asked for. */
class LeanRecord implements FetchedRecord {
  readonly offset: number;
  readonly term: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Where the next one begins. */
  readonly end: number;
  readonly #bytes: Buffer;
  readonly #headersAt: number;
  #at: number;

  constructor(bytes: Buffer, begin: number, { base, term }: { base: number; term: number }) {
    this.#bytes = bytes;
    this.#at = begin;
    const length = this.#varint();
    this.end = this.#at + length;
    // Its attributes, of which there are none, and its time after that of its batch.
    this.#at += 1;
    this.#skipTime();
    this.offset = base + this.#varint();
    this.term = term;
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

  /** Its time after that of its batch, up to ten bytes long. */
  #skipTime(): void {
    while (this.#bytes[this.#at++]! > 127);
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
