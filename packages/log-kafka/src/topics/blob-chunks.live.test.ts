// Records on the topic of blobs, of writers that stopped halfway and of those that are not ours.
import { hash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SideStore } from '@dreamfold/log/backend';
import { sqliteReplicas } from '@dreamfold/log/sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { FetchedRecord } from '../driver/driver.ts';
import { CHUNK_BYTES, foldChunk } from './blob-chunks.ts';

let directory: string;
let store: SideStore;
let offset = 0;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dreamfold-chunks-'));
  store = sqliteReplicas.openSide({ directory });
});
afterEach(() => {
  store.close();
  rmSync(directory, { recursive: true });
});

const BLOB = Buffer.from('abcdef');
const SHA = hash('sha256', BLOB, 'hex');

interface Sent {
  key?: string;
  put?: string;
  chunk?: number | string;
  chunks?: number | string;
  value?: Uint8Array | string | null;
}

function record({ key = SHA, put = 'put-1', chunk = 0, chunks = 3, value = '' }: Sent): FetchedRecord {
  const headers = { put: Buffer.from(put), chunk: Buffer.from(String(chunk)), chunks: Buffer.from(String(chunks)) };
  return { offset: (offset += 1), term: 0, key: Buffer.from(key), value: typeof value === 'string' ? Buffer.from(value) : value, headers };
}

function fold(sent: Sent, mostBytes?: number): void {
  foldChunk(store, record(sent), mostBytes);
}

function foldWhole(put: string, from = 0): void {
  for (let chunk = from; chunk < 3; chunk += 1) fold({ put, chunk, value: BLOB.subarray(chunk * 2, chunk * 2 + 2) });
}

test('a blob is there once all chunks of one put have come, in whatever order and however often', () => {
  fold({ chunk: 2, value: 'ef' });
  fold({ chunk: 0, value: 'ab' });
  fold({ chunk: 0, value: 'ab' });
  expect(store.hasBlob(SHA)).toBe(false);
  fold({ chunk: 1, value: 'cd' });
  expect(Buffer.from(store.getBlob(SHA)!)).toEqual(BLOB);
  expect(store.incompletePuts()).toEqual({ puts: 0, sizeBytes: 0 });
  foldWhole('put-2');
  expect(store.incompletePuts().puts).toBe(0);
});

test.each<[string, Sent[]]>([
  ['a writer that stopped halfway', [{ put: 'torn', chunk: 0, value: 'ab' }]],
  ['other bytes under the number of a chunk', [{ chunk: 1, value: 'XX' }]],
  [
    'another count of chunks',
    [
      { chunk: 0, chunks: 2, value: 'ab' },
      { chunk: 1, chunks: 999, value: 'cd' },
    ],
  ],
  [
    'bytes that do not come to the hash',
    [
      { put: 'forged', chunk: 0, chunks: 2, value: 'XX' },
      { put: 'forged', chunk: 1, chunks: 2, value: 'YY' },
    ],
  ],
  ['one chunk that does not come to the hash', [{ put: 'forged', chunk: 0, chunks: 1, value: 'XX' }]],
])('%s keeps no later put away', (_, before) => {
  for (const sent of before) fold(sent);
  foldWhole('put-1');
  if (!store.hasBlob(SHA)) foldWhole('put-2');
  expect(Buffer.from(store.getBlob(SHA)!)).toEqual(BLOB);
  expect(store.incompletePuts()).toEqual({ puts: 0, sizeBytes: 0 });
});

test.each<[string, Sent]>([
  ['a number beyond all counts', { chunk: 0, chunks: 999_999, value: 'x' }],
  ['a number that is beyond its own count', { chunk: 3, value: 'x' }],
  ['more bytes than a chunk has', { value: Buffer.alloc(CHUNK_BYTES + 1) }],
  ['no bytes', { value: null }],
  ['no put', { put: '', value: 'ab' }],
  ['a put as long as a book', { put: 'p'.repeat(100_000), value: 'ab' }],
  ['no count', { chunks: 'three', value: 'ab' }],
  ['no hash', { key: 'x', value: 'ab' }],
])('%s is no chunk, and takes no room', (_, sent) => {
  fold(sent);
  foldChunk(store, { ...record({}), key: null });
  foldChunk(store, { ...record({}), headers: {} });
  expect(store.incompletePuts()).toEqual({ puts: 0, sizeBytes: 0 });
});

test('what many leave half takes no more room than it may, and what is under way comes through', () => {
  const most = 200_000;
  for (let i = 0; i < 100; i += 1) {
    const key = hash('sha256', String(i), 'hex');
    fold({ key, put: `left-${i}`, chunks: 1024, value: Buffer.alloc(10_000) }, most);
    if (i % 30 === 0) fold({ chunk: i / 30, chunks: 4, value: BLOB.subarray(i / 30, i / 30 + 1) }, most);
  }
  expect(store.incompletePuts().sizeBytes).toBeLessThanOrEqual(most);
  // Its chunks came further apart than all that may wait: it is sent again, which its writer does when it is not read back.
  foldWhole('put-2');
  expect(Buffer.from(store.getBlob(SHA)!)).toEqual(BLOB);
});
