import { createRequire } from 'node:module';
import fc from 'fast-check';
import type { KafkaMessage } from 'kafkajs';
import { expect, test } from 'vitest';
import { fetchedBy, mendRecordFormat, messagesOf } from './record-format.ts';

const FOLDER = 'kafkajs/src/protocol/recordBatch';
const LOG_APPEND_TIME = 1;

interface Encoded {
  buffer: Buffer;
  size: () => number;
}
type Encode = (message: object) => Encoded;
type EncodeBatch = (options: object) => Promise<Encoded>;
type Decode = (decoder: object, context: object) => KafkaMessage;

const require = createRequire(import.meta.url);
const Decoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => object;
const load = () => ({
  encode: require(`${FOLDER}/record/v0`) as Encode,
  encodeBatch: (require(`${FOLDER}/v0`) as { RecordBatch: EncodeBatch }).RecordBatch,
  decode: require(`${FOLDER}/record/v0/decoder`) as Decode,
});
const before = load();
mendRecordFormat();
const mended = load();

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

test('batches are written as kafkajs writes them, byte for byte', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(records, { minLength: 1, maxLength: 20 }), fc.nat(2 ** 45), async (batch, timestamp) => {
      const at = { firstTimestamp: timestamp, maxTimestamp: timestamp, lastOffsetDelta: batch.length - 1 };
      const lean = messagesOf(batch, 0).map((message) => mended.encode(message));
      expect(lean).toHaveLength(1);
      const plain = batch.map((record, offsetDelta) =>
        before.encode({ ...record, value: Buffer.from(record.value), offsetDelta, timestampDelta: 0 }),
      );
      const [written, wanted] = [await mended.encodeBatch({ ...at, records: lean }), await before.encodeBatch({ ...at, records: plain })];
      expect(written.buffer).toEqual(wanted.buffer);
      expect(written.size()).toBe(written.buffer.length);
    }),
  );
});

/** The bytes of a record after its length. */
function bodyOf(bytes: Buffer): Buffer {
  let at = 0;
  while (bytes[at]! > 127) at += 1;
  return bytes.subarray(at + 1);
}

test('records are read as kafkajs reads them', () => {
  fc.assert(
    fc.property(records, fc.nat(100_000), (record, offsetDelta) => {
      const { buffer } = before.encode({ ...record, value: Buffer.from(record.value), offsetDelta, timestampDelta: 0 });
      const bytes = bodyOf(buffer);
      const message = mended.decode(new Decoder(bytes), context);
      expect(message).toMatchObject(before.decode(new Decoder(bytes), context));
      const { key, value, headers } = message;
      const fetched = fetchedBy(message)!;
      expect([fetched.offset, fetched.term, fetched.key, fetched.value, fetched.headers]).toEqual([
        Number(message.offset),
        3,
        key,
        value,
        headers,
      ]);
    }),
  );
});

test('one header is read alone as it is among all', () => {
  const ascii = fc.string({ unit: 'binary-ascii', maxLength: 12 }).filter((name) => !(name in {}));
  const header = fc.tuple(
    fc.oneof(fc.constantFrom('df_envelope', 'df_seal', 'ce_id'), ascii),
    fc.array(fc.string(), { minLength: 1, maxLength: 3 }),
  );
  fc.assert(
    fc.property(fc.array(header, { maxLength: 8 }), (list) => {
      const encoded = before.encode({ key: 'k', value: null, headers: Object.fromEntries(list), offsetDelta: 0, timestampDelta: 0 });
      const fetched = fetchedBy(mended.decode(new Decoder(bodyOf(encoded.buffer)), context))!;
      for (const name of ['df_envelope', 'df_seal', ...list.map(([one]) => one)])
        expect(fetched.header!(name)).toEqual(fetched.headers[name]);
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
