import { expect, test } from 'vitest';
import { target } from './target.ts';
import { targetTable, textTable } from './text-table.ts';

test('names stand to the left, figures to the right', () => {
  expect(
    textTable(
      ['name', 'µs'],
      [
        ['a', 1.5],
        ['long name', 120],
      ],
    ),
  ).toBe('name        µs\na          1.5\nlong name  120');
});

test('a target says what was wanted and whether it was met', () => {
  const [, met, missed] = targetTable([
    target('disk', 40, { atMost: 60, unit: 'KiB' }),
    target('rate', 0.4, { atLeast: 0.5, unit: '×' }),
  ]).split('\n');
  expect(met).toMatch(/^disk +40 KiB +≤ 60 +met$/);
  expect(missed).toMatch(/^rate +0.4 × +≥ 0.5 +missed$/);
});
