import { expect, test } from 'vitest';
import { ID_PREFIX, StreamName, eventId, idFrom, idOfStream, streamOf, type IdKind } from './index.ts';

test('the same cause gives the same id, and a stream can be named by it', () => {
  const digest = '-_-_abcdefghijklmnopqrstuvwxyz';
  expect(idFrom('session', digest)).toBe('sesn_ABABabcdefghijkl');
  for (const kind of Object.keys(ID_PREFIX) as IdKind[]) expect(idFrom(kind, digest)).toMatch(/^[a-z]+_[A-Za-z0-9]{16}$/);
  expect(StreamName.parse(streamOf('session', idFrom('session', digest)))).toBe('session/sesn_ABABabcdefghijkl');
});

test('prefixes tell the kinds apart', () => {
  expect(new Set(Object.values(ID_PREFIX)).size).toBe(Object.keys(ID_PREFIX).length);
});

test('idOfStream undoes streamOf', () => {
  expect(idOfStream(streamOf('memory', 'memstore_1'))).toBe('memstore_1');
});

test('the events of one append have ids of their own, the first that of the append', () => {
  expect([0, 1, 2].map((i) => eventId('sevt_a', i))).toEqual(['sevt_a', 'sevt_a-1', 'sevt_a-2']);
});
