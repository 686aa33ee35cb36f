import { createRequire } from 'node:module';
import fc from 'fast-check';
import type { KafkaMessage } from 'kafkajs';
import { expect, test } from 'vitest';
import type { FetchedRecord } from '../driver.ts';
import { readBatches } from './fetched-records.ts';
import { AT, encodeBatch } from './record-batch.ts';

// What kafkajs writes and reads is what other clients do.
const FOLDER = 'kafkajs/src/protocol/recordBatch';

interface Encoded {
  buffer: Buffer;
}
type Encode = (message: object) => object;
type EncodeBatch = (options: object) => Promise<Encoded>;
type Decode = (decoder: object) => Promise<{ records: KafkaMessage[] }>;

const require = createRequire(import.meta.url);
const Decoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => object;
const encodeRecord = require(`${FOLDER}/record/v0`) as Encode;
const { RecordBatch: encodeKafkajsBatch } = require(`${FOLDER}/v0`) as { RecordBatch: EncodeBatch };
const decodeBatch = require(`${FOLDER}/v0/decoder`) as Decode;

const TERM = 3;

const text = fc.string({ unit: 'grapheme', maxLength: 300 });
const record = fc.record({
  key: text,
  value: fc.uint8Array({ maxLength: 20_000 }),
  headers: fc.dictionary(
    text.filter((name) => !(name in {})),
    text,
    { noNullPrototype: true },
  ),
});
const batch = fc.array(record, { minLength: 1, maxLength: 20 });

async function kafkajsBatch(messages: readonly object[], timestamp = 5): Promise<Buffer> {
  const records = messages.map((message, offsetDelta) => encodeRecord({ offsetDelta, timestampDelta: 0, ...message }));
  const at = { firstTimestamp: timestamp, maxTimestamp: timestamp, lastOffsetDelta: messages.length - 1 };
  return (await encodeKafkajsBatch({ ...at, records })).buffer;
}

/** As a broker sends it: with its first offset and the term of the leader. */
function fetched(bytes: Buffer, base: number): Buffer {
  const sent = Buffer.from(bytes);
  sent.writeBigInt64BE(BigInt(base), 0);
  sent.writeInt32BE(TERM, AT.term);
  return sent;
}

test('batches are written as kafkajs writes them, byte for byte', async () => {
  await fc.assert(
    fc.asyncProperty(batch, fc.nat(2 ** 45), async (records, timestamp) => {
      const messages = records.map((one) => ({ ...one, value: Buffer.from(one.value) }));
      expect(encodeBatch(records, timestamp)).toEqual(await kafkajsBatch(messages, timestamp));
    }),
  );
});

test('batches are read as kafkajs reads them, from any offset', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 3 }), fc.nat(60), async (batches, skipped) => {
      const first = 9_007_199_254_000_000;
      let base = first;
      const bytes = batches.map((records) => {
        const one = fetched(encodeBatch(records, 1_795_252_443_120), base);
        base += records.length;
        return one;
      });
      const { records, next } = readBatches(Buffer.concat(bytes), first + skipped);
      const wanted: KafkaMessage[] = [];
      for (const one of bytes) wanted.push(...(await decodeBatch(new Decoder(one))).records);
      expect(next).toBe(base);
      const read = records.map(({ offset, term, key, value, headers }) => ({ offset: String(offset), term, key, value, headers }));
      const plain = wanted.slice(skipped).map(({ offset, key, value, headers }) => ({ offset, term: TERM, key, value, headers }));
      expect(read).toEqual(plain);
    }),
    { numRuns: 50 },
  );
});

test('a batch that is cut short is left for the next time', () => {
  const records = [{ key: 'a', value: Buffer.from('b'), headers: { c: 'd' } }];
  const whole = fetched(encodeBatch(records, 5), 7);
  for (let length = 0; length < whole.length; length += 1) {
    expect(readBatches(whole.subarray(0, length), 7)).toEqual({ records: [], next: null });
    expect(readBatches(Buffer.concat([whole, whole.subarray(0, length)]), 7)).toMatchObject({ records: [{ offset: 7 }], next: 8 });
  }
});

test('a batch whose last records were compacted away takes their offsets all the same', () => {
  const bytes = fetched(encodeBatch([{ key: 'a', value: Buffer.from('b'), headers: {} }], 5), 7);
  bytes.writeInt32BE(9, AT.lastOffsetDelta);
  expect(readBatches(bytes, 7)).toMatchObject({ records: [{ offset: 7 }], next: 17 });
  expect(readBatches(bytes, 12)).toEqual({ records: [], next: 17 });
});

test('records have their offsets whatever times they have', async () => {
  const messages = [
    { key: 'a', value: 'b', headers: {}, timestampDelta: 2 ** 30 },
    { key: 'c', value: 'd', headers: {}, timestampDelta: -7 },
  ];
  const { records } = readBatches(fetched(await kafkajsBatch(messages), 7), 0);
  expect(records.map(({ offset, value }) => [offset, String(value)])).toEqual([
    [7, 'b'],
    [8, 'd'],
  ]);
});

test('one header is read alone as it is among all', async () => {
  const ascii = fc.string({ unit: 'binary-ascii', maxLength: 12 }).filter((name) => !(name in {}));
  const header = fc.tuple(
    fc.oneof(fc.constantFrom('df_envelope', 'df_seal', 'ce_id'), ascii),
    fc.array(fc.string(), { minLength: 1, maxLength: 3 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(header, { maxLength: 8 }), async (list) => {
      const one = await readOne({ key: 'k', value: null, headers: Object.fromEntries(list) });
      for (const name of ['df_envelope', 'df_seal', ...list.map(([one]) => one)]) expect(one.header!(name)).toEqual(one.headers[name]);
    }),
  );
});

test('keys and values may lack, and headers stand twice or be named like properties of all objects', async () => {
  const headers = Object.fromEntries([
    ['constructor', ['1', '2']],
    ['toString', '3'],
    ['__proto__', '4'],
  ]);
  const one = await readOne({ key: null, value: null, headers });
  expect([one.key, one.value]).toEqual([null, null]);
  expect(Object.entries(one.headers).map(([name, value]) => [name, String(value)])).toEqual([
    ['constructor', '1,2'],
    ['toString', '3'],
    ['__proto__', '4'],
  ]);
});

test.each([
  ['is compressed with gzip', AT.attributes + 1],
  ['has format 1', AT.magic],
])('a batch that %s is refused with what to do', (what, at) => {
  const bytes = fetched(encodeBatch([{ key: 'a', value: Buffer.from('b'), headers: {} }], 5), 7);
  bytes[at] = 1;
  expect(() => readBatches(bytes, 0)).toThrow(expect.objectContaining({ code: 'config_invalid', message: expect.stringContaining(what) }));
});

async function readOne(message: object): Promise<FetchedRecord> {
  return readBatches(fetched(await kafkajsBatch([message]), 0), 0).records[0]!;
}
