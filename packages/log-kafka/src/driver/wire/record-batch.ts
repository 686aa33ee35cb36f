import { crc32c } from '@node-rs/crc32';
import type { DriverRecord } from '../driver.ts';

// RecordBatch of format 2, https://kafka.apache.org/documentation/#recordbatch: what stands before the records, by offset in bytes.
export const AT = {
  batchLength: 8,
  term: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  recordCount: 57,
  records: 61,
} as const;

/** A record whose value goes between two texts of one character a byte: two writes are cheaper than forty. */
interface Piece {
  begin: string;
  value: Uint8Array;
  end: string;
}

/** Records as one batch: not compressed, of no transaction and no idempotent producer, all with one timestamp in ms. */
export function encodeBatch(records: readonly DriverRecord[], timestamp: number): Buffer {
  const pieces = records.map(pieceOf);
  const size = pieces.reduce<number>((sum, { begin, value, end }) => sum + begin.length + value.length + end.length, AT.records);
  const batch = Buffer.allocUnsafe(size);
  batch.fill(0, 0, AT.records);
  batch.writeInt32BE(size - AT.batchLength - 4, AT.batchLength);
  batch.writeInt8(2, AT.magic);
  batch.writeInt32BE(records.length - 1, AT.lastOffsetDelta);
  batch.writeBigInt64BE(BigInt(timestamp), AT.baseTimestamp);
  batch.writeBigInt64BE(BigInt(timestamp), AT.maxTimestamp);
  batch.writeBigInt64BE(-1n, AT.producerId);
  batch.writeInt32BE(records.length, AT.recordCount);
  let at: number = AT.records;
  for (const { begin, value, end } of pieces) {
    at += batch.write(begin, at, 'latin1');
    batch.set(value, at);
    at += value.length;
    at += batch.write(end, at, 'latin1');
  }
  batch.writeUInt32BE(crc32c(batch.subarray(AT.attributes)), AT.crc);
  return batch;
}

function pieceOf({ key, value, headers }: DriverRecord, offsetDelta: number): Piece {
  const keyBytes = byteText(key);
  const begin = `\0\0${varint(offsetDelta)}${varint(keyBytes.length)}${keyBytes}${varint(value.length)}`;
  const names = Object.keys(headers);
  let end = varint(names.length);
  for (const name of names) {
    const [nameBytes, valueBytes] = [byteText(name), byteText(headers[name]!)];
    end += `${varint(nameBytes.length)}${nameBytes}${varint(valueBytes.length)}${valueBytes}`;
  }
  return { begin: varint(begin.length + value.length + end.length) + begin, value, end };
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
