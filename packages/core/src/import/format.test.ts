import { expect, it } from 'vitest';
import { importFormat } from './format.ts';

it('knows its formats, and names them when asked for another', () => {
  expect(importFormat('tau-bench')).toBe('tau-bench');
  expect(() => importFormat('csv')).toThrow(
    expect.objectContaining({
      code: 'invalid_argument',
      path: '--format',
      value: 'csv',
      remedy: 'Use one of messages, tau-bench, dreamfold.',
    }),
  );
});
