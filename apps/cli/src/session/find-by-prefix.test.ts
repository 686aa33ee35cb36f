import { expect, test } from 'vitest';
import { findByPrefix, SESSIONS } from './find-by-prefix.ts';

const ids = ['sesn_4k2', 'sesn_4k2a', 'sesn_7'].map((id) => ({ id }));
const find = (given: string): unknown => findByPrefix(ids, given, SESSIONS).id;

test.each([
  ['7', 'sesn_7'],
  ['sesn_7', 'sesn_7'],
  ['4k2a', 'sesn_4k2a'],
  // A whole id is found, although another one begins with it.
  ['4k2', 'sesn_4k2'],
])('%s is %s', (given, id) => {
  expect(find(given)).toBe(id);
});

test('several that begin alike are named, and none is taken', () => {
  expect(() => find('4k')).toThrow(
    expect.objectContaining({ code: 'invalid_argument', remedy: 'Give more of the id: sesn_4k2, sesn_4k2a.' }),
  );
});

test.each(['', '9', 'patch_7'])('%j is none, also where there is only one', (given) => {
  const one = (): unknown => findByPrefix(ids.slice(2), given, SESSIONS);
  expect(one).toThrow(expect.objectContaining({ code: 'not_found' }));
});
