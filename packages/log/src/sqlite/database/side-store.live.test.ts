import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BlobChunk, SideStore } from '../../rule/replica.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256Hex } from '../../rule/append.ts';
import { openSideStore } from './side-store.ts';

let directory: string;
let store: SideStore;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dreamfold-side-'));
  store = openSideStore({ directory });
});
afterEach(() => {
  store.close();
  rmSync(directory, { recursive: true });
});

describe('a side store', () => {
  it('keeps blobs, keys and offsets for the next who opens it', () => {
    const bytes = new Uint8Array(100_000).map((_, i) => i % 251);
    const sha256 = sha256Hex(bytes);
    store.addChunk({ sha256, put: 'p', chunk: 0, chunks: 1, bytes, offset: 0 });
    store.putKey('session/a w_1', 'one');
    store.setOffset('p.keys', 7);
    store.setOffset('p.keys', 8);
    store.close();
    store = openSideStore({ directory });
    expect(Buffer.compare(store.getBlob(sha256)!, bytes)).toBe(0);
    expect([store.getBlob('0'.repeat(64)), store.getBlob('no hash'), store.blobs()]).toEqual([null, null, 1]);
    expect([store.getKey('session/a w_1'), store.getKey('session/a')]).toEqual(['one', null]);
    expect([store.offset('p.keys'), store.offset('p.blobs')]).toEqual([8, 0]);
  });

  it('finds keys by how their ids begin', () => {
    for (const id of ['session/a w_1', 'session/a w_2', 'session/a2 w_1', 'session/_ w_1', 'session/%', 'session/é']) store.putKey(id, 'k');
    expect(store.keyIds('session/a ')).toEqual(['session/a w_1', 'session/a w_2']);
    expect(store.keyIds('session/_')).toEqual(['session/_ w_1']);
    expect(store.keyIds('session/é')).toEqual(['session/é']);
    expect(store.keyIds('')).toHaveLength(6);
    expect(store.keyIds('dream')).toEqual([]);
  });

  it('does all of a transaction or nothing', () => {
    store.putKey('a', '1');
    expect(() =>
      store.transaction(() => {
        store.putKey('a', '2');
        store.setOffset('t', 5);
        throw new RangeError('stop');
      }),
    ).toThrow(RangeError);
    expect([store.getKey('a'), store.offset('t')]).toEqual(['1', 0]);
    expect(store.transaction(() => (store.setOffset('t', 5), 'done'))).toBe('done');
    expect(store.offset('t')).toBe(5);
  });

  it.each([
    ['alone', (put: () => void) => put()],
    ['in a transaction', (put: () => void) => store.transaction(put)],
  ])('leaves nothing of a key that was replaced %s', (_, run) => {
    const secret = 'a secret of 24 characters';
    store.putKey('session/a w_1', secret);
    const holding = (): string[] => readdirSync(directory).filter((name) => readFileSync(join(directory, name), 'latin1').includes(secret));
    expect(holding()).not.toEqual([]);
    run(() => store.putKey('session/a w_1', 'less'));
    expect(holding()).toEqual([]);
  });

  it('says so when it is closed, and may be closed again', () => {
    store.close();
    store.close();
    expect(() => store.blobs()).toThrow(expect.objectContaining({ code: 'store_unavailable' }));
  });

  describe('of blobs that come in parts', () => {
    const sha256 = sha256Hex(Buffer.from('ab'));
    const part = (change: Partial<BlobChunk>): BlobChunk => ({
      ...{ sha256, put: 'p', chunk: 0, chunks: 2, bytes: Buffer.from('?'), offset: 0 },
      ...change,
    });

    it('keeps each put apart, until the last part of one has come, also after a restart', () => {
      store.addChunk(part({ chunk: 1, bytes: Buffer.from('b') }));
      store.addChunk(part({ put: 'q', chunk: 0, bytes: Buffer.from('x') }));
      store.addChunk(part({ chunks: 3, chunk: 0, bytes: Buffer.from('y') }));
      store.addChunk(part({ chunk: 1, bytes: Buffer.from('z') }));
      store.close();
      store = openSideStore({ directory });
      expect([store.incompletePuts().puts, store.blobs(), store.getBlob(sha256)]).toEqual([3, 0, null]);
      store.addChunk(part({ chunk: 0, bytes: Buffer.from('a') }));
      expect(Buffer.from(store.getBlob(sha256)!).toString()).toBe('ab');
      expect([store.incompletePuts().puts, store.blobs(), store.hasBlob(sha256)]).toEqual([0, 1, true]);
    });

    it('forgets a put that does not come to its hash', () => {
      store.addChunk(part({ bytes: Buffer.from('x') }));
      store.addChunk(part({ chunk: 1, bytes: Buffer.from('y') }));
      expect([store.incompletePuts(), store.hasBlob(sha256)]).toEqual([{ puts: 0, sizeBytes: 0 }, false]);
    });

    it('drops the put that has waited longest first, and counts a put without bytes too', () => {
      const bytes = Buffer.alloc(10_000);
      for (const [offset, put] of ['p', 'q', 'r'].entries()) store.addChunk(part({ put, chunks: 3, offset, bytes }));
      // p goes on: it has not waited longest any more.
      store.addChunk(part({ put: 'p', chunk: 1, chunks: 3, offset: 3, bytes }));
      store.dropChunks(store.incompletePuts().sizeBytes);
      expect(store.incompletePuts().puts).toBe(3);
      store.dropChunks(40_000);
      expect(store.incompletePuts().puts).toBe(2);
      // q is gone, and begins anew; p ends, and r.
      for (const [i, put] of ['p', 'r', 'q'].entries()) store.addChunk(part({ put, chunk: 2, chunks: 3, offset: 4 + i, bytes }));
      expect(store.incompletePuts().puts).toBe(2);
      store.addChunk(part({ put: 'r', chunk: 1, chunks: 3, offset: 7, bytes }));
      expect(store.incompletePuts().puts).toBe(1);
      for (let i = 0; i < 100; i += 1) store.addChunk(part({ put: `empty-${i}`, offset: 6 + i, bytes: Buffer.alloc(0) }));
      expect(store.incompletePuts().sizeBytes).toBeGreaterThan(100 * 4000);
      store.dropChunks(0);
      expect(store.incompletePuts()).toEqual({ puts: 0, sizeBytes: 0 });
    });

    it('knows what they take after a transaction that was rolled back', () => {
      store.addChunk(part({}));
      const before = store.incompletePuts();
      expect(() =>
        store.transaction(() => {
          store.addChunk(part({ put: 'q', bytes: Buffer.alloc(50_000) }));
          throw new RangeError('stop');
        }),
      ).toThrow(RangeError);
      store.dropChunks(before.sizeBytes);
      expect(store.incompletePuts()).toEqual(before);
    });
  });

  it('that is damaged is refused, deleted and begun again', () => {
    store.putKey('a', '1');
    store.close();
    writeFileSync(join(directory, 'side.db'), 'not a database, but long enough to have a header '.repeat(10));
    expect(() => openSideStore({ directory })).toThrow(expect.objectContaining({ code: 'store_corrupt' }));
    rmSync(join(directory, 'side.db'));
    store = openSideStore({ directory });
    expect([store.getKey('a'), store.offset('t')]).toEqual([null, 0]);
  });
});
