import { DreamfoldError, type ErrorCode } from '@dreamfold/events';
import { expect, test } from 'vitest';
import { exitCodeOf } from './exit-code.ts';

test.each<[code: ErrorCode, exit: number]>([
  ['invalid_argument', 2],
  ['not_found', 2],
  ['store_corrupt', 3],
  ['store_full', 3],
  ['log_diverged', 3],
  ['store_locked', 4],
  ['fenced', 1],
  ['model_overloaded', 1],
])('%s ends with %d', (code, exit) => {
  expect(exitCodeOf(new DreamfoldError(code, 'No.', { remedy: 'Look.' }))).toBe(exit);
});

test('a fault of the program ends with 1', () => {
  expect(exitCodeOf(new TypeError('undefined is no function'))).toBe(1);
});
