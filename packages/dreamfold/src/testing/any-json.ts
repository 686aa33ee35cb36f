import { firstCharacters } from '@dreamfold/events';
import fc from 'fast-check';

// Text, keys, numbers and JSON at and around what a log can hold: what a user, a tool or a model may send.

/** Units that a text is made of: of one to four bytes, of one or two UTF-16 units, and those that stores and terminals stumble over. */
const UNITS = [
  ...['a', 'Z', '0', ' ', 'é', 'e\u0301', 'ß', '漢', '\u{1f4a5}', '\u{1d4b3}', '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}', '\ufe0f'],
  ...['\ud800', '\udfff', '\u0000', '\u0001', '\u001b', '\u007f', '\u0085', '\n', '\r\n', '\t', '\u2028', '\u2029', '\ufeff', '\u202e'],
  ...['"', '\\', '/', '~', '#', '\u0300', '\uffff', '\u{10ffff}', '__proto__', '<memory '],
];

const KEYS = [
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', 'toJSON', 'length', 'then', 'decision', 'queue'],
  ...[
    '0',
    '1',
    '01',
    '-1',
    '1e3',
    '4294967294',
    '4294967295',
    '',
    ' ',
    '\u00e9',
    'e\u0301',
    '\u212b',
    '\u00c5',
    '\u0000',
    '\ud800',
    'a/b~c',
    '\u{1f4a5}',
    '"',
  ],
];

const NUMBERS = [
  ...[
    0,
    -0,
    1,
    -1,
    0.1,
    1.5,
    1e21,
    1e-7,
    1e308,
    -1e308,
    5e-324,
    2 ** 31,
    2 ** 32,
    2 ** 53 - 1,
    2 ** 53,
    -(2 ** 53),
    2 ** 64,
    8_640_000_000_000_000,
  ],
];

/** What JSON cannot hold, or holds as something else. */
const ODD: readonly (() => unknown)[] = [
  () => undefined,
  () => Number.NaN,
  () => Number.POSITIVE_INFINITY,
  () => 1n,
  () => Symbol('s'),
  () => () => 1,
  () => new Date(0),
  () => new Map([['a', 1]]),
  () => new Uint8Array(2),
  () => Object('text'),
  () => ({ toJSON: () => 5 }),
  () => [undefined],
  () => Array(2),
];

export function pick<T>(values: readonly T[]): fc.Arbitrary<T> {
  return fc.constantFrom(...values);
}

/** A text of so many code points: `begin`, then one unit over and over. */
function codePoints(begin: string, unit: string, count: number): string {
  return firstCharacters(begin + unit.repeat(count), count);
}

const randomText = fc.array(pick(UNITS), { maxLength: 12 }).map((units) => units.join(''));
const usual = fc.oneof(
  { weight: 3, arbitrary: pick(UNITS) },
  { weight: 3, arbitrary: randomText },
  fc.string({ unit: 'binary', maxLength: 8 }),
);

/** Text for a field of `min` to `max` characters, now and then just beyond, in code points and in UTF-16 units. */
export function anyText({ min = 0, max = 4096 }: { min?: number; max?: number } = {}): fc.Arbitrary<string> {
  const around = [min - 1, min, min + 1, max - 1, max, max, max, max + 1, Math.floor(max / 2), Math.floor(max / 2) + 1];
  const counts = around.filter((count) => count >= 0 && count <= 5000);
  const atLimit = fc.tuple(pick(UNITS), pick(counts), pick(['', 'a', '\u{1f4a5}']));
  const edge = atLimit.map(([unit, count, begin]) => codePoints(begin, unit, count));
  return fc.oneof({ weight: max > 1000 ? 40 : 4, arbitrary: usual }, { weight: max > 1000 ? 1 : 3, arbitrary: edge });
}

/** Text for a field of one line: mostly without what such a field refuses. */
export function anyLine({ min, max }: { min: number; max: number }): fc.Arbitrary<string> {
  // oxlint-disable-next-line no-control-regex -- control characters are what it takes out
  const plain = anyText({ min, max }).map((text) => text.replaceAll(/[\u0000-\u001f\u007f\ud800-\udfff]/gu, '') || 'x');
  return fc.oneof({ weight: 20, arbitrary: plain }, { weight: 1, arbitrary: anyText({ min, max }) });
}

export const anyNumber: fc.Arbitrary<number> = fc.oneof(pick(NUMBERS), fc.double(), fc.integer());

export const anyKey: fc.Arbitrary<string> = fc.oneof({ weight: 8, arbitrary: pick(KEYS) }, usual);

/** An object with exactly these keys as its own, `__proto__` among them. */
export function ownKeys(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  return Object.fromEntries(entries) as Record<string, unknown>;
}

const leaf: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 30, arbitrary: usual },
  { weight: 20, arbitrary: anyNumber.filter(Number.isFinite) },
  { weight: 10, arbitrary: fc.boolean() },
  { weight: 10, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: pick(ODD).map((make) => make()) },
);

const tree: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    { weight: 4, arbitrary: leaf },
    { weight: 2, arbitrary: fc.array(fc.tuple(anyKey, tie('tree')), { maxLength: 5 }).map(ownKeys) },
    { weight: 1, arbitrary: fc.array(tie('tree'), { maxLength: 4 }) },
  ),
}))['tree'];

/** A value inside so many arrays, or objects under a key. */
function nested(value: unknown, levels: number, key: string | null): unknown {
  let outer = value;
  for (let i = 0; i < levels; i += 1) outer = key === null ? [outer] : ownKeys([[key, outer]]);
  return outer;
}

/** Any JSON, and what is none; now and then as deep as an event may be, or deeper. */
export const anyJson: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 40, arbitrary: tree },
  {
    weight: 1,
    arbitrary: fc.tuple(leaf, fc.integer({ min: 58, max: 66 }), pick([null, ...KEYS])).map(([value, n, key]) => nested(value, n, key)),
  },
);
