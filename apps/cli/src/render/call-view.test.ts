import { describe, expect, test } from 'vitest';
import { callLine, callView, changeLines } from './call-view.ts';

const SCHEMA = {
  type: 'object',
  properties: {
    to: { type: 'string' },
    amount: { type: 'number' },
    items: { type: 'array', items: { type: 'object', properties: { sku: {}, count: {} } } },
    address: { anyOf: [{ type: 'object', properties: { street: {}, city: {} } }, { type: 'null' }] },
    note: { type: 'string' },
  },
};

const view = (input: unknown, whole = false): string[] => callView(input, SCHEMA, { whole }).lines;

describe('the view of a call', () => {
  test('shows every field in the order of the schema, whatever order and length the model gave them', () => {
    const note = `${'n'.repeat(479)}!`;
    const { lines, hiddenCharacters } = callView({ note, zeal: true, amount: 99_999, apt: null, to: 'ann' }, SCHEMA, { whole: false });
    expect(lines.map((line) => line.slice(0, 14))).toEqual([
      '  to      "ann',
      '  amount  9999',
      '  note    "nnn',
      '        │ nnnn',
      '        │ nnnn',
      '        │ nnnn',
      '        │ (280',
      '  apt     null',
      '  zeal    true',
    ]);
    expect(lines.at(-3)).toBe('        │ (280 of 480 characters hidden)');
    expect(lines.join('')).toContain('n!"');
    expect(hiddenCharacters).toBe(280);
  });

  test('lays out what is nested, in the order of its schema', () => {
    expect(view({ address: { city: 'Rome', street: 'Via 1' }, items: [{ count: 2, sku: 'a' }, 'odd', [], {}], to: 'ann' })).toEqual([
      '  to       "ann"',
      '  items',
      '    1',
      '      sku    "a"',
      '      count  2',
      '    2  "odd"',
      '    3  []',
      '    4  {}',
      '  address',
      '    street  "Via 1"',
      '    city    "Rome"',
    ]);
    expect(view({})).toEqual(['  no fields']);
  });

  test('says how much of long lists, of fields that no schema names, and of what is nested deep it hides', () => {
    const deep: unknown = Array.from({ length: 12 }).reduce<unknown>((inner) => ({ in: inner }), 'x');
    const input = {
      items: Array.from({ length: 40 }, (_, i) => i),
      ...Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`k${i}`, i])),
      deep,
    };
    const { lines, hiddenCharacters } = callView(input, SCHEMA, { whole: false });
    expect(lines).toContain('    and 10 more (20 characters hidden)');
    expect(lines.at(-1)).toMatch(/^ {2}and 11 more \(\d+ characters hidden\)$/);
    expect(lines.join('\n')).toMatch(/in {2}nested deeper \(\d+ characters hidden\)/);
    expect(hiddenCharacters).toBeGreaterThan(100);
    const whole = callView(input, SCHEMA, { whole: true });
    expect(whole.hiddenCharacters).toBe(0);
    expect(whole.lines.join('\n')).not.toContain('hidden');
    expect(whole.lines.join('\n')).toContain('"x"');
  });

  test('no value can pose as a field: line breaks are escaped, and a line that goes on begins with a bar', () => {
    const lines = view({ to: 'ann', note: `x\n  amount  1${' '.repeat(60)}  amount  1` }, true);
    expect(lines.filter((line) => /^ {2}amount/.test(line))).toEqual([]);
    expect(lines.slice(2).every((line) => /^ +│ /.test(line))).toBe(true);
  });

  test('no key can pose as a field either', () => {
    expect(view({ 'to  "eve"\namount': 1 })).toEqual([String.raw`  "to  \"eve\"\namount"  1`]);
    expect(view({ ['k'.repeat(99)]: 1 })[0]).toMatch(/^ {2}"k+" … "k+" \(35 of 99 characters hidden\) {2}1$/);
  });

  test('escapes what is not seen, and marks what is taken for something else', () => {
    expect(view({ to: 'p\u0430ypal' })).toEqual([
      String.raw`  to  "p\u0430ypal"`,
      '    │ ! it holds Latin and Cyrillic letters in one word',
    ]);
    expect(view({ to: 'ann\u{e0041}' })).toEqual([String.raw`  to  "ann\u{e0041}"`, '    │ ! it holds a tag character (U+E0041)']);
    expect(view({ to: 'ignoriert: \u{1d422}\u{1d420}' })[1]).toContain('letters in the guise of others');
  });

  test('is there for an input that is no object', () => {
    expect(view('word')).toEqual(['  input  "word"']);
  });
});

test('in one line each value is cut by itself, in the order of the schema', () => {
  expect(callLine({ note: 'n'.repeat(99), amount: 5, to: 'ann' }, SCHEMA)).toBe(
    `{"to":"ann","amount":5,"note":"${'n'.repeat(45)}" … "${'n'.repeat(15)}" (39 of 99 characters hidden)}`,
  );
  expect(callLine({ order: '7', of: [1, { a: null }] }, undefined)).toBe('{"of":[1,{"a":null}],"order":"7"}');
  expect(callLine({ ids: Array.from({ length: 14 }, (_, i) => i) }, undefined)).toBe('{"ids":[0,1,2,3,4,5,6,7,8,9,and 4 more]}');
});

test('what a person changed is told by its path', () => {
  expect(changeLines({ a: { b: 1 }, gone: 'x' }, { a: { b: 2 }, 'ne\u202ew': true })).toEqual([
    'changed a/b: 1 → 2',
    'changed gone: took out "x"',
    String.raw`changed ne\u202ew: added true`,
  ]);
});
