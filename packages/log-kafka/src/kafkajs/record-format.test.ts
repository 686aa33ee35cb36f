import { createRequire } from 'node:module';
import fc from 'fast-check';
import type { KafkaMessage } from 'kafkajs';
import { expect, test } from 'vitest';
import { fetchedBy, leanMessage, mendRecordFormat } from './record-format.ts';

const FOLDER = 'kafkajs/src/protocol/recordBatch/record/v0';
const LOG_APPEND_TIME = 1;

type Encode = (message: object) => { buf: Buffer; buffer: Buffer };
type Decode = (decoder: object, context: object) => KafkaMessage;

const require = createRequire(import.meta.url);
const Decoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => object;
const before = { encode: require(FOLDER) as Encode, decode: require(`${FOLDER}/decoder`) as Decode };
mendRecordFormat();
const mended = { encode: require(FOLDER) as Encode, decode: require(`${FOLDER}/decoder`) as Decode };

const context = {
  ...{ firstOffset: '9007199254000000', firstTimestamp: '5', maxTimestamp: '1795252443120', magicByte: 2, partitionLeaderEpoch: 3 },
  ...{ isControlBatch: false, timestampType: LOG_APPEND_TIME },
};

const text = fc.string({ unit: 'grapheme', maxLength: 300 });
const records = fc.record({
  key: text,
  value: fc.uint8Array({ maxLength: 20_000 }),
  headers: fc.dictionary(
    text.filter((name) => !(name in {})),
    text,
    { noNullPrototype: true },
  ),
});

test('records are written as kafkajs writes them, byte for byte', () => {
  fc.assert(
    fc.property(records, fc.nat(100_000), (record, offsetDelta) => {
      const at = { offsetDelta, timestampDelta: 0 };
      const { buf, buffer } = mended.encode({ ...leanMessage(record, 0), ...at });
      expect(buffer).toEqual(before.encode({ ...record, value: Buffer.from(record.value), ...at }).buffer);
      expect(buf).toBe(buffer);
    }),
  );
});

/** The bytes of a record after its length. */
function bodyOf(bytes: Buffer): Buffer {
  let at = 0;
  while (bytes[at]! > 127) at += 1;
  return bytes.subarray(at + 1);
}

test('and read as kafkajs reads them', () => {
  fc.assert(
    fc.property(records, fc.nat(100_000), (record, offsetDelta) => {
      const bytes = bodyOf(mended.encode({ ...leanMessage(record, 0), offsetDelta, timestampDelta: 0 }).buffer);
      const message = mended.decode(new Decoder(bytes), context);
      expect(message).toMatchObject(before.decode(new Decoder(bytes), context));
      const { key, value, headers } = message;
      expect(fetchedBy(message)).toEqual({ offset: Number(message.offset), term: 3, key, value, headers });
    }),
  );
});

test('keys and values may lack, and headers stand twice or be named like properties of all objects', () => {
  const message = { key: null, value: null, headers: { constructor: ['1', '2'], toString: '3' }, offsetDelta: 0, timestampDelta: 0 };
  const withProto = before.encode({ ...message, headers: Object.fromEntries([...Object.entries(message.headers), ['__proto__', '4']]) });
  const fetched = fetchedBy(mended.decode(new Decoder(bodyOf(withProto.buffer)), context))!;
  expect([fetched.key, fetched.value]).toEqual([null, null]);
  expect(Object.entries(fetched.headers).map(([name, value]) => [name, String(value)])).toEqual([
    ['constructor', '1,2'],
    ['toString', '3'],
    ['__proto__', '4'],
  ]);
});

test('what others write, and records with times of their own, stay with kafkajs', () => {
  const message = { key: 'a', value: 'b', headers: { c: Buffer.from([1]) }, offsetDelta: 0, timestampDelta: 7 };
  const { buffer } = mended.encode(message);
  expect(buffer).toEqual(before.encode(message).buffer);
  const read = mended.decode(new Decoder(bodyOf(buffer)), { ...context, timestampType: 0 });
  expect([read.timestamp, fetchedBy(read)]).toEqual(['12', null]);
});
