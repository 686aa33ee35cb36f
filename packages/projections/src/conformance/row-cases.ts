import { describe, expect, it } from 'vitest';
import { NEVER_ALONE, type Checkpoint, type Condition, type Facets, type PageOf, type ProjectionStore, type Row } from '../port.ts';
import type { StoreUnderTest } from './describe-store.ts';

const CHECKPOINT: Checkpoint = { logId: 'log_1', folds: 'a@1', cursor: [3], hashes: ['h'], erasures: '0' };

function row(key: string, age: number, facets: Partial<Facets> = {}): Row {
  const none = { status: null, store: null, agent: null, principal: null, outcome: null, title: null, time: age, alone: NEVER_ALONE };
  return { view: 'v', stream: `session/${key}`, key, age, state: { of: key }, facets: { ...none, ...facets } };
}

function filled(under: StoreUnderTest, rows: readonly Row[]): ProjectionStore {
  const store = under.fresh();
  store.transaction((tx) => {
    for (const one of rows) tx.put(one);
  });
  return store;
}

function keys(store: ProjectionStore, of: Partial<PageOf> = {}): string {
  return store
    .page({ view: 'v', where: [], order: 'newest', ...of })
    .map(({ key }) => key)
    .join(' ');
}

export function describeRows(under: StoreUnderTest): void {
  describe('a transaction', () => {
    it('stands as a whole, with its checkpoint', () => {
      const store = under.fresh();
      expect(store.checkpoint()).toBeNull();
      store.transaction((tx) => {
        tx.put(row('a', 1));
        tx.setCheckpoint(CHECKPOINT);
        expect(tx.get({ view: 'v', stream: 'session/a', key: 'a' })).toMatchObject({ age: 1, state: { of: 'a' } });
      });
      expect(store.checkpoint()).toEqual(CHECKPOINT);
      expect(keys(store)).toBe('a');
    });

    it('leaves nothing when it fails', () => {
      const store = filled(under, [row('a', 1)]);
      const failing = (): void =>
        store.transaction((tx) => {
          tx.put({ ...row('a', 1), state: { of: 'another' } });
          tx.put(row('b', 2));
          tx.setCheckpoint(CHECKPOINT);
          tx.forget('session/a');
          tx.clear();
          throw new TypeError('of the run');
        });
      expect(failing).toThrow('of the run');
      expect(store.checkpoint()).toBeNull();
      expect(store.page({ view: 'v', where: [], order: 'newest' })).toEqual([row('a', 1)]);
    });
  });

  describe('a page', () => {
    it('is in the order of age, then of key, and goes on after a row', () => {
      const store = filled(under, [row('b', 2), row('c', 2), row('a', 2), row('z', 1), row('y', 3)]);
      expect(keys(store)).toBe('y c b a z');
      expect(keys(store, { order: 'oldest' })).toBe('z a b c y');
      expect(keys(store, { limit: 2 })).toBe('y c');
      expect(keys(store, { limit: 2, after: { age: 2, key: 'c' } })).toBe('b a');
      expect(keys(store, { order: 'oldest', after: { age: 2, key: 'c' } })).toBe('y');
      expect(keys(store, { limit: 0 })).toBe('');
    });

    it('holds the rows of its view for which every condition holds', () => {
      const store = filled(under, [
        row('a', 1, { status: 'idle', title: 'a refund of 5 %', time: 10, alone: 5 }),
        row('b', 2, { status: 'idle', title: 'refund_all', time: 20 }),
        row('c', 3, { status: 'running', time: 30 }),
        { ...row('d', 4, { status: 'idle' }), view: 'w' },
      ]);
      const where = (...conditions: Condition[]): string => {
        const found = keys(store, { where: conditions });
        expect(store.count({ view: 'v', where: conditions })).toBe(found === '' ? 0 : found.split(' ').length);
        return found;
      };
      expect(where()).toBe('c b a');
      expect(where({ facet: 'status', is: 'equal', value: 'idle' })).toBe('b a');
      expect(where({ facet: 'status', is: 'equal', value: 'idle' }, { facet: 'time', is: 'atLeast', value: 20 })).toBe('b');
      expect(where({ facet: 'time', is: 'below', value: 20 })).toBe('a');
      expect(where({ facet: 'title', is: 'containing', value: 'refund' })).toBe('b a');
      expect(where({ facet: 'title', is: 'containing', value: '%' })).toBe('a');
      expect(where({ facet: 'title', is: 'containing', value: '_' })).toBe('b');
      expect(where({ facet: 'alone', is: 'below', value: NEVER_ALONE })).toBe('a');
      expect(where({ facet: 'store', is: 'equal', value: '' })).toBe('');
      expect(where({ facet: 'title', is: 'containing', value: 'null' })).toBe('');
    });

    it('gives a row as it was put last, and keys by their beginning', () => {
      const store = filled(under, [row('ab', 1), row('a', 2), row('b', 3)]);
      const changed = { ...row('a', 2, { status: 'idle' }), state: { of: 'ä \u{1f600}', n: [1, null] } };
      store.transaction((tx) => tx.put(changed));
      expect(store.beginningWith('v', 'a', 5)).toEqual([changed, row('ab', 1)]);
      expect(store.beginningWith('v', 'a', 1)).toEqual([changed]);
      expect(store.beginningWith('v', 'c', 5)).toEqual([]);
    });
  });

  describe('what is taken away', () => {
    it('is gone: the rows of a stream, or all of them', () => {
      const store = filled(under, [row('a', 1), { ...row('a2', 2), stream: 'session/a', view: 'w' }, row('b', 3)]);
      store.transaction((tx) => tx.forget('session/a'));
      expect([keys(store), keys(store, { view: 'w' })]).toEqual(['b', '']);
      store.transaction((tx) => {
        tx.setCheckpoint(CHECKPOINT);
        tx.clear();
        tx.put(row('c', 1));
      });
      expect([keys(store), store.checkpoint()]).toEqual(['c', null]);
      store.reset();
      expect([keys(store), store.checkpoint()]).toEqual(['', null]);
      store.transaction((tx) => tx.put(row('d', 1)));
      expect(keys(store)).toBe('d');
    });
  });
}
