import { expect, test } from 'vitest';
import { checkHead, type LogHead } from './head-file.ts';

const HASHES = ['a', 'b', 'c'];
const table = {
  last: () => ({ position: HASHES.length, hash: HASHES.at(-1)! }),
  hashAtPosition: (position: number) => HASHES[position - 1] ?? null,
};
const check = (head: LogHead | null) => (): void => checkHead('head', head, table);

test.each([
  ['a log that ends where the file says', { position: 3, hash: 'c' }],
  ['a log that others have written to since', { position: 2, hash: 'b' }],
  ['a log that nobody had written to', { position: 0, hash: '' }],
])('%s is whole', (_what, head) => {
  expect(check(head)).not.toThrow();
});

test.each([
  ['whose end is gone', { position: 4, hash: 'd' }, 'its end was lost'],
  ['whose newest event is another one, though its own hash is right', { position: 3, hash: 'x' }, 'is not the one that was written'],
  ['whose file is gone', null, 'is missing or empty'],
])('a log %s is not', (_what, head, words) => {
  expect(check(head)).toThrow(expect.objectContaining({ code: 'store_corrupt', message: expect.stringContaining(words) as string }));
});
