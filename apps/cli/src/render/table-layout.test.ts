import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { cut, layOutTable, type Column } from './table-layout.ts';

const COLUMNS: readonly Column<never>[] = [
  { title: 'ID', value: () => '' },
  { title: 'TASK', value: () => '', shrinksTo: 8 },
  { title: 'BY', value: () => '', hides: 2 },
  { title: 'EVENTS', value: () => '', align: 'right', hides: 1 },
];
const CELLS = [
  ['sesn_1', 'Wo ist mein Paket?', 'ann', '7'],
  ['sesn_22', '荷物はどこですか、教えてください', 'bob', '12'],
];

const at = (room: number): ReturnType<typeof layOutTable> => layOutTable(CELLS, COLUMNS, room);

test('where there is room nothing is cut, and numbers stand under each other', () => {
  expect(at(Number.POSITIVE_INFINITY)).toEqual({
    head: 'ID       TASK                              BY   EVENTS',
    rows: ['sesn_1   Wo ist mein Paket?                ann       7', 'sesn_22  荷物はどこですか、教えてください  bob      12'],
    hidden: [],
  });
});

test('cells shrink before columns are left out, in their order, and what is left out is named', () => {
  expect(at(40)).toMatchObject({
    rows: ['sesn_1   Wo ist mein Paket?  ann       7', 'sesn_22  荷物はどこですか…   bob      12'],
    hidden: [],
  });
  expect(at(30)).toMatchObject({ rows: ['sesn_1   Wo ist …  ann       7', 'sesn_22  荷物は…   bob      12'], hidden: [] });
  expect(at(24)).toMatchObject({ rows: ['sesn_1   Wo ist me…  ann', 'sesn_22  荷物はど…   bob'], hidden: ['EVENTS'] });
  expect(at(19)).toMatchObject({ head: 'ID       TASK', hidden: ['EVENTS', 'BY'] });
});

test.each([80, 40, 30, 25, 19, 12, 6])('no line is wider than %i columns, and what is cut says so', (room) => {
  const { head, rows, hidden } = at(room);
  for (const line of [head, ...rows]) expect(stringWidth(line)).toBeLessThanOrEqual(room);
  for (const [i, row] of rows.entries()) {
    const whole = hidden.length === 0 && CELLS[i]!.every((cell) => row.includes(cell));
    expect(whole || hidden.length > 0 || row.includes('…')).toBe(true);
  }
});

test.each([
  ['plain', 10, 'plain'],
  ['plainly', 5, 'plai…'],
  ['日本語', 5, '日本…'],
  ['日本語', 4, '日…'],
  ['a👩‍👩‍👧b', 3, 'a…'],
])('%s in %i columns is %s', (text, width, wanted) => {
  expect(cut(text, width)).toBe(wanted);
});
