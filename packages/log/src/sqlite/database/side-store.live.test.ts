import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SideStore } from '../../rule/replica.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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
    const { sha256, size_bytes: size } = store.putBlob(bytes);
    store.putBlob(bytes);
    store.putKey('session/a w_1', 'one');
    store.setOffset('p.keys', 7);
    store.setOffset('p.keys', 8);
    store.close();
    store = openSideStore({ directory });
    expect(size).toBe(100_000);
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
