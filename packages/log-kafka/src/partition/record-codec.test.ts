import { hash } from 'node:crypto';
import { eventId, hashInput, type StoredEvent } from '@dreamfold/events';
import { foldRecord, type Head } from '@dreamfold/log';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DriverRecord, FetchedRecord, HeaderValue } from '../driver/driver.ts';
import { decodeRecord, encodeRecord } from './record-codec.ts';

const LOG_ID = 'log_1';
const KEY = new Uint8Array(32).fill(7);
const STREAM = 'session/sesn_1';
const ROOT_DIGEST = 'JKPJDBbHvo3ScJvkx8BCNA';
const SEAL = { id: `${STREAM} ${ROOT_DIGEST}`, key: KEY };

const sha256 = (text: string): string => hash('sha256', text, 'base64url');

function event(change: Partial<StoredEvent> = {}): StoredEvent {
  const data = change.data === undefined ? '{"text":"Grüße 🙂"}' : change.data;
  const {
    hash: _,
    data: __,
    ...envelope
  } = {
    ...{
      stream: STREAM,
      seq: 1,
      id: 'sevt_1',
      time: 1_795_252_443_120,
      prev: '0',
      hash: '',
      type: 'user.message',
      v: 1,
      class: 'open' as const,
      epoch: 0,
    },
    ...{
      append: { id: 'sevt_1', i: 0, n: 1 },
      writer: 'w_1',
      causation: null,
      correlation: 'req_1',
      actor: 'user',
      dataHash: sha256(data ?? ''),
      data,
    },
    ...change,
  };
  return { ...envelope, hash: sha256(hashInput(envelope)), data };
}

/** As a broker gives it back. */
function fetched({ key, value, headers }: DriverRecord): FetchedRecord {
  const bytes = Object.entries(headers).map(([name, text]): [string, Uint8Array] => [name, Buffer.from(text)]);
  return { offset: 4, term: 2, key: Buffer.from(key), value, headers: Object.fromEntries(bytes) };
}

/** The rule's verdict on a record that stands alone at the head of an empty stream. */
function verdict(record: FetchedRecord): string {
  const counted = { head: (): Head => ({ seq: 0, hash: '0', epoch: 0 }), appendSize: () => 0 };
  const { judged } = foldRecord([], decodeRecord(record).record, { counted, hash: sha256 });
  const [last] = judged.map((one) => one.verdict);
  return last === undefined ? 'pending' : last.counted ? 'counted' : last.reason;
}

function withHeader(record: FetchedRecord, name: string, value: HeaderValue): FetchedRecord {
  return { ...record, headers: { ...record.headers, [name]: value } };
}

/** The record again, from the text that is kept of it. */
function fromText(text: string): Pick<FetchedRecord, 'key' | 'value' | 'headers'> {
  type Readable = string | null | { base64: string };
  const bytes = (one: Readable): Uint8Array | null =>
    typeof one === 'string' ? Buffer.from(one) : one && Buffer.from(one.base64, 'base64');
  const { key, value, headers } = JSON.parse(text) as { key: Readable; value: Readable; headers: [string, Readable | Readable[]][] };
  const read = headers.map(([name, one]): [string, HeaderValue] => [name, Array.isArray(one) ? one.map(bytes) : bytes(one)]);
  return { key: bytes(key), value: bytes(value), headers: Object.fromEntries(read) };
}

const line = fc.string({ unit: 'grapheme-composite', minLength: 1, maxLength: 20 }).filter((text) => /^[^\p{Cc}#]*$/u.test(text));
const anyEvent = fc
  .record({
    ...{
      seq: fc.integer({ min: 1 }),
      time: fc.integer({ min: 0, max: 8_640_000_000_000_000 }),
      prev: line,
      type: line,
      v: fc.integer({ min: 1 }),
    },
    ...{ class: fc.constantFrom('open' as const, 'owner' as const, 'claim' as const), epoch: fc.nat(), writer: line, actor: line },
    ...{
      causation: fc.oneof(line, fc.integer({ min: 1 }), fc.constant(null)),
      correlation: fc.option(line),
      data: fc.json(),
      appendId: line,
    },
    ...{ size: fc.integer({ min: 1, max: 5 }), index: fc.nat(4), sealed: fc.boolean() },
  })
  .map(({ appendId, size, index, sealed, ...rest }) => {
    const append = { id: appendId, i: index % size, n: size };
    return { sealed, stored: event({ ...rest, append, id: eventId(append.id, append.i) }) };
  });

const records = {
  plain: fetched(encodeRecord(event(), { logId: LOG_ID })),
  sealed: fetched(encodeRecord(event(), { logId: LOG_ID, seal: SEAL })),
};
const JUDGED = ['df_envelope', 'df_seal'];

describe('a record that was encoded', () => {
  test('is decoded to the same event', () => {
    fc.assert(
      fc.property(anyEvent, ({ stored, sealed }) => {
        const record = fetched(encodeRecord(stored, { logId: LOG_ID, ...(sealed ? { seal: SEAL } : {}) }));
        const decoded = decodeRecord(record, { keyOf: (id, seq) => (id === SEAL.id && seq === stored.seq ? KEY : null) });
        expect({ offset: decoded.offset, term: decoded.term }).toEqual({ offset: 4, term: 2 });
        expect(decoded.record).toEqual({ ...stored, data: sealed ? null : stored.data });
        expect(decoded.payload).toBe(sealed ? stored.data : null);
        expect(decoded.keyId).toBe(sealed ? SEAL.id : null);
        expect(verdict(record)).not.toBe('broken');
      }),
    );
  });

  test('counts without its key, and has no payload then', () => {
    expect(verdict(records.sealed)).toBe('counted');
    expect(decodeRecord(records.sealed).payload).toBeNull();
    expect(decodeRecord(records.sealed, { keyOf: () => new Uint8Array(32) }).payload).toBeNull();
  });

  test('holds nothing of a sealed payload', () => {
    expect(Buffer.from(records.sealed.value!).includes('Grüße')).toBe(false);
    expect(JSON.stringify(encodeRecord(event(), { logId: LOG_ID, seal: SEAL }).headers)).not.toContain('Grüße');
  });

  test('may be one whose payload was erased before, in any log', () => {
    const erased = event({ data: null });
    for (const options of [{ logId: LOG_ID }, { logId: LOG_ID, seal: SEAL }]) {
      const record = fetched(encodeRecord(erased, options));
      expect(decodeRecord(record).record).toEqual(erased);
      expect([verdict(record), decodeRecord(record).keyId]).toEqual(['counted', null]);
    }
  });

  test('is a CloudEvent with a trace for any other tool', () => {
    const { headers, key } = encodeRecord(event(), { logId: LOG_ID });
    expect(key).toBe(STREAM);
    expect(headers).toEqual({
      df_envelope: headers['df_envelope'],
      ce_specversion: '1.0',
      ce_id: 'sevt_1',
      ce_source: '/dreamfold/log_1/session/sesn_1',
      ce_type: 'user.message',
      ce_subject: STREAM,
      ce_time: '2026-11-21T09:14:03.120Z',
      'content-type': 'application/json',
      traceparent: `00-${hash('sha256', 'req_1').slice(0, 32)}-${hash('sha256', `${STREAM}#sevt_1`).slice(0, 16)}-01`,
    });
    const uncorrelated = encodeRecord(event({ correlation: null }), { logId: LOG_ID, seal: SEAL }).headers;
    expect(uncorrelated['traceparent']).toContain(hash('sha256', STREAM).slice(0, 32));
    expect(uncorrelated['content-type']).toBe('application/octet-stream');
    expect(encodeRecord(event({ time: 253_402_300_800_000 }), { logId: LOG_ID }).headers).not.toHaveProperty('ce_time');
  });

  test('has the bytes that every release reads', () => {
    const { headers } = encodeRecord(event(), { logId: LOG_ID });
    expect(headers['df_envelope']).toBe(
      '{"stream":"session/sesn_1","seq":1,"id":"sevt_1","time":1795252443120,"prev":"0","hash":"eUIf9HHhChMXkxPz2CutRmZ3-H3QV2Z1T2t8sp1I6Uo","type":"user.message","v":1,"class":"open","epoch":0,"append":{"id":"sevt_1","i":0,"n":1},"writer":"w_1","causation":null,"correlation":"req_1","actor":"user","dataHash":"-4pqrYnsdZPli36gQY8uvQj_Mo8g2uyLqSpQ0WjtxLY"}',
    );
    const stored = {
      ...records.sealed,
      value: Buffer.from('83f917ae99f35bbea48e576c357f1f349637528232223fd89e3e5b2381f83191d4eb972a6689452f47b9bd81a6e7724eb84ebd', 'hex'),
    };
    const kept = withHeader(
      stored,
      'df_seal',
      Buffer.from('{"key":"session/sesn_1 JKPJDBbHvo3ScJvkx8BCNA","digest":"afnMk7zVuKYyhsbVg4tlmu5f0AT9fdD0BrT-5MxSGdI"}'),
    );
    expect(verdict(kept)).toBe('counted');
    expect(decodeRecord(kept, { keyOf: () => KEY }).payload).toBe(event().data);
  });
});

describe('the verdict on a record', () => {
  test.each(Object.entries(records))('takes no notice of other headers: %s', (_, record) => {
    const bytes = fc.uint8Array({ maxLength: 20 });
    const value = fc.oneof(bytes, fc.constant(null), fc.array(fc.oneof(bytes, fc.constant(null)), { minLength: 2, maxLength: 3 }));
    const name = fc
      .oneof(fc.constantFrom(...Object.keys(record.headers), '__proto__', 'ce_more'), fc.string())
      .filter((one) => !JUDGED.includes(one));
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), fc.array(name), (added, removed) => {
        const kept = Object.entries(record.headers).filter(([one]) => !removed.includes(one));
        const changed = { ...record, headers: Object.fromEntries([...kept, ...added]) };
        expect(verdict(changed)).toBe('counted');
        expect(decodeRecord(changed).record).toEqual(decodeRecord(record).record);
      }),
    );
  });

  const parts: [string, (record: FetchedRecord) => Uint8Array | undefined, (record: FetchedRecord, bytes: Uint8Array) => FetchedRecord][] =
    [
      ['key', ({ key }) => key!, (record, key) => ({ ...record, key })],
      ['value', ({ value }) => value!, (record, value) => ({ ...record, value })],
      ...JUDGED.map((name): (typeof parts)[number] => [
        name,
        ({ headers }) => headers[name] as Uint8Array | undefined,
        (record, bytes) => withHeader(record, name, bytes),
      ]),
    ];
  const cases = Object.entries(records).flatMap(([kind, record]) =>
    parts.flatMap(([part, get, set]) => {
      const bytes = get(record);
      return bytes === undefined
        ? []
        : [{ name: `${kind} ${part}`, bytes: Buffer.from(bytes), changed: (other: Uint8Array) => set(record, other) }];
    }),
  );

  test.each(cases)('sees every changed byte: $name', ({ bytes, changed }) => {
    for (let at = 0; at <= bytes.length; at += 1) {
      for (const flip of [1, 2, 4, 8, 16, 32, 64, 128]) {
        const other = Buffer.from(bytes);
        if (at < bytes.length) other[at]! ^= flip;
        if (at < bytes.length) expect(verdict(changed(other))).toBe('broken');
      }
      expect(verdict(changed(Buffer.concat([bytes.subarray(0, at), Buffer.from(' '), bytes.subarray(at)])))).toBe('broken');
      expect(verdict(changed(Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)])))).toBe(
        at < bytes.length ? 'broken' : 'counted',
      );
    }
  });

  test.each(cases)('sees bytes that are exchanged for any others: $name', ({ bytes, changed }) => {
    const other = fc
      .oneof(
        fc.uint8Array(),
        fc.json().map((text) => Buffer.from(text)),
        fc.string().map((text) => Buffer.from(text)),
      )
      .filter((one) => !bytes.equals(one));
    fc.assert(
      fc.property(other, (one) => {
        expect(verdict(changed(one))).toBe('broken');
      }),
    );
  });

  const { plain, sealed } = records;
  const envelope = JSON.parse(Buffer.from(plain.headers['df_envelope'] as Uint8Array).toString()) as Record<string, unknown>;
  const envelopeOf = (value: unknown): FetchedRecord =>
    withHeader(plain, 'df_envelope', Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));
  const without = (record: FetchedRecord, name: string): FetchedRecord => ({
    ...record,
    headers: Object.fromEntries(Object.entries(record.headers).filter(([one]) => one !== name)),
  });
  const sealOf = (value: unknown, record = sealed): FetchedRecord => withHeader(record, 'df_seal', Buffer.from(JSON.stringify(value)));
  const digestOf = (key: string, value: Uint8Array): string =>
    hash('sha256', Buffer.concat([Buffer.from(`${event().hash}\n${key}\n`), value]), 'base64url');
  const notJson = event({ data: 'not JSON' });
  const elsewhere = `session/sesn_2 ${ROOT_DIGEST}`;

  test.each<[string, FetchedRecord]>([
    ['no header', { ...plain, headers: {} }],
    ['no key', { ...plain, key: null }],
    ['no value', { ...plain, value: null }],
    ['no value, sealed', { ...sealed, value: null }],
    ['the key of another stream', { ...plain, key: Buffer.from('session/sesn_2') }],
    ['a payload that is not JSON, with the right hash', fetched(encodeRecord(notJson, { logId: LOG_ID }))],
    ['a payload that is not UTF-8', { ...plain, value: Uint8Array.of(0x22, 0xff, 0x22) }],
    ['an envelope without a value', withHeader(plain, 'df_envelope', null)],
    [
      'an envelope twice',
      withHeader(plain, 'df_envelope', [plain.headers['df_envelope'] as Uint8Array, plain.headers['df_envelope'] as Uint8Array]),
    ],
    ['an envelope that is not UTF-8', withHeader(plain, 'df_envelope', Uint8Array.of(0x22, 0xc0, 0x22))],
    ['an envelope that is not JSON', envelopeOf('{')],
    ['an envelope with a byte order mark', envelopeOf(`\uFEFF${JSON.stringify(envelope)}`)],
    ['an envelope with a space', envelopeOf(JSON.stringify(envelope, null, 1))],
    ['an envelope in another order', envelopeOf({ seq: 1, ...envelope })],
    ['an envelope with an escape', envelopeOf(JSON.stringify(envelope).replace('user.message', String.raw`user\u002emessage`))],
    ['an envelope with a field twice', envelopeOf(JSON.stringify(envelope).replace('{', '{"stream":"session/sesn_2",'))],
    ['an envelope with one field more', envelopeOf({ ...envelope, more: 1 })],
    ['an envelope with __proto__', envelopeOf(JSON.stringify(envelope).replace('{', '{"__proto__":{},'))],
    ['an envelope whose append has one field more', envelopeOf({ ...envelope, append: { id: 'sevt_1', i: 0, n: 1, more: 1 } })],
    ...Object.keys(envelope).map((field): [string, FetchedRecord] => [
      `an envelope without ${field}`,
      envelopeOf(Object.fromEntries(Object.entries(envelope).filter(([one]) => one !== field))),
    ]),
    ...['null', '[]', '0', '""', '{}', '{"append":null}', '{"append":1}'].map((text): [string, FetchedRecord] => [
      `the envelope ${text}`,
      envelopeOf(text),
    ]),
    ['an envelope of 100 kB', envelopeOf(`{"stream":"${'x'.repeat(100_000)}"}`)],
    ['an envelope nested 16,000 deep', envelopeOf('['.repeat(8000) + ']'.repeat(8000))],
    ['a sealed payload without its seal', without(sealed, 'df_seal')],
    ['a seal without a value', withHeader(sealed, 'df_seal', null)],
    ['a seal twice', withHeader(sealed, 'df_seal', [sealed.headers['df_seal'] as Uint8Array, sealed.headers['df_seal'] as Uint8Array])],
    ['a seal on a payload that is open', withHeader(plain, 'df_seal', sealed.headers['df_seal']!)],
    [
      'a seal for another envelope',
      withHeader(sealed, 'df_envelope', Buffer.from(encodeRecord(event({ actor: 'other' }), { logId: LOG_ID }).headers['df_envelope']!)),
    ],
    ['a seal without a key', sealOf({ digest: digestOf('', sealed.value!) })],
    ['a seal under no key, with a value', sealOf({ key: null, digest: digestOf('', sealed.value!) })],
    ['a seal under the key of another stream', sealOf({ key: elsewhere, digest: digestOf(elsewhere, sealed.value!) })],
    ['a seal under a key with no digest', sealOf({ key: `${STREAM} `, digest: digestOf(`${STREAM} `, sealed.value!) })],
    ['a seal under a number', sealOf({ key: 1, digest: digestOf('1', sealed.value!) })],
    ['a seal with a field more', sealOf({ key: SEAL.id, digest: digestOf(SEAL.id, sealed.value!), more: 1 })],
  ])('is broken: %s', (_, record) => {
    expect(verdict(record)).toBe('broken');
    expect(fromText(decodeRecord(record).bytes)).toEqual(asBuffers(record));
    expect(decodeRecord(record, { keyOf: () => KEY }).payload).toBeNull();
  });

  test('is broken for anything at all, and decoding never throws', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.json().map((text) => Buffer.from(text)),
      fc.constant(null),
    );
    const header = fc.tuple(
      fc.oneof(fc.constantFrom('df_envelope', 'df_seal', 'ce_id'), fc.string()),
      fc.oneof(bytes, fc.array(bytes, { minLength: 2 })),
    );
    fc.assert(
      fc.property(bytes, bytes, fc.array(header), (key, value, headers) => {
        const record: FetchedRecord = { offset: 0, term: 0, key, value, headers: Object.fromEntries(headers) };
        expect(verdict(record)).toBe('broken');
        expect(decodeRecord(record, { keyOf: () => KEY }).payload).toBeNull();
        expect(fromText(decodeRecord(record).bytes)).toEqual(asBuffers(record));
      }),
    );
  });
});

test('a record is kept as one text, the same in whatever order its headers were read', () => {
  const { plain } = records;
  const reversed = { ...plain, headers: Object.fromEntries(Object.entries(plain.headers).reverse()) };
  expect(decodeRecord(reversed).bytes).toBe(decodeRecord(plain).bytes);
  expect(decodeRecord(withHeader(plain, 'ce_id', Buffer.from('other'))).bytes).not.toBe(decodeRecord(plain).bytes);
  expect(fromText(decodeRecord(plain).bytes)).toEqual(asBuffers(plain));
});

function asBuffers({ key, value, headers }: FetchedRecord): Pick<FetchedRecord, 'key' | 'value' | 'headers'> {
  const buffer = (bytes: Uint8Array | null): Buffer | null => bytes && Buffer.from(bytes);
  const all = Object.entries(headers).map(([name, one]): [string, HeaderValue] => [
    name,
    one === null || one instanceof Uint8Array ? buffer(one) : one.map(buffer),
  ]);
  return { key: buffer(key), value: buffer(value), headers: Object.fromEntries(all) };
}
