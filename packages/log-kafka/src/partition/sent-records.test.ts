import { hash } from 'node:crypto';
import { hashInput, type StoredEvent } from '@dreamfold/events';
import { describe, expect, test } from 'vitest';
import type { DriverRecord, FetchedRecord } from '../driver/driver.ts';
import { decodeRecord, encodeRecord } from './record-codec.ts';
import { SentRecords } from './sent-records.ts';

const sha256 = (text: string): string => hash('sha256', text, 'base64url');
const STREAM = 'session/sesn_1';
const ROOT_DIGEST = 'JKPJDBbHvo3ScJvkx8BCNA';

function event(seq: number): StoredEvent {
  const data = '{"text":"Grüße"}';
  const envelope = {
    ...{ stream: STREAM, seq, id: `sevt_${seq}`, time: 1, prev: '0', type: 'user.message', v: 1, class: 'open' as const, epoch: 0 },
    ...{ append: { id: `sevt_${seq}`, i: 0, n: 1 }, writer: 'w_1', causation: null, correlation: null, actor: 'user' },
    dataHash: sha256(data),
  };
  return { ...envelope, hash: sha256(hashInput(envelope)), data };
}

/** As a broker gives it back. */
function fetched({ key, value, headers }: DriverRecord): FetchedRecord {
  const bytes = Object.entries(headers).map(([name, text]): [string, Uint8Array] => [name, Buffer.from(text)]);
  return { offset: 4, term: 2, key: Buffer.from(key), value: Buffer.from(value), headers: Object.fromEntries(bytes) };
}

const encodings = {
  sealed: (stored: StoredEvent) =>
    encodeRecord(stored, { logId: 'log_1', seal: { id: `${STREAM} ${ROOT_DIGEST}`, key: new Uint8Array(32) } }),
  plain: (stored: StoredEvent) => encodeRecord(stored, { logId: 'log_1' }),
};

describe.each(Object.entries(encodings))('%s records', (_, encode) => {
  const stored = event(1);
  const record = encode(stored);
  const sent = new SentRecords();
  sent.add([stored], [record]);

  test('come back as the event that was sent, and as the text that is kept of any record', () => {
    const found = sent.find(fetched(record))!;
    expect(found).toMatchObject({ offset: 4, term: 2, isIntact: true });
    expect(found.record).toBe(stored);
    expect(found.bytes).toBe(decodeRecord(fetched(record)).bytes);
    expect(found.keyId).toBe(decodeRecord(fetched(record)).keyId);
  });

  test('are others with another byte in what is judged', () => {
    const { key, value, headers } = fetched(record);
    const change = (bytes: Uint8Array | null): Uint8Array => bytes!.map((byte, i) => (i === bytes!.length - 1 ? byte ^ 1 : byte));
    const header = (name: string): FetchedRecord['headers'] => ({
      ...headers,
      [name]: change((headers[name] ?? Buffer.from('x')) as Uint8Array),
    });
    const others = [
      { key: change(key), value, headers },
      { key: null, value, headers },
      { key, value: change(value), headers },
      { key, value: null, headers },
      { key, value, headers: header('df_envelope') },
      { key, value, headers: header('df_seal') },
      { key, value, headers: { ...headers, df_seal: null } },
      { key, value, headers: { ...headers, df_envelope: [headers['df_envelope'] as Uint8Array, null] } },
    ];
    expect(others.map((other) => sent.find({ offset: 4, term: 2, ...other }))).toEqual(others.map(() => null));
  });

  test('are others when they were never sent, or their fate is known', () => {
    expect(sent.find(fetched(encode(event(2))))).toBeNull();
    const done = new SentRecords();
    done.add([stored, event(2)], [record, encode(event(2))]);
    done.forget([record]);
    expect(done.find(fetched(record))).toBeNull();
  });
});
