import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isDreamfoldError } from './errors.ts';
import { canonicalName, checkName, nameFault } from './names.ts';

const check = (name: unknown): string => {
  try {
    checkName(name, { path: 'by', maxChars: 100 });
    return 'passes';
  } catch (error) {
    if (!isDreamfoldError(error)) throw error;
    expect([error.path, error.remedy !== '']).toEqual(['by', true]);
    return error.code;
  }
};

describe('two names that look alike', () => {
  it.each([
    ['in capitals', 'ann', 'Ann'],
    ['with a blank after it', 'ann', 'ann '],
    ['with a no-break space before it', 'ann', '\u00a0ann'],
    ['with two blanks inside', 'ann lee', 'ann  lee'],
    ['composed and decomposed', 'ren\u00e9', 'rene\u0301'],
    ['with a ligature', 'steffi', 'ste\ufb03'],
    ['with one letter of mathematics', 'ann', '\u{1d41a}nn'],
    ['with the sign of the Kelvin', 'kim', '\u212aim'],
    ['with a joiner that Persian writes', '\u0645\u06cc\u200c\u0631\u0648\u0645', '\u0645\u06cc\u0631\u0648\u0645'],
  ])('%s count as one', (_what, a, b) => {
    expect(canonicalName(b)).toBe(canonicalName(a));
    expect([check(a), check(b)]).toEqual(['passes', 'passes']);
  });

  it.each([
    ['with a zero-width space', 'ann\u200b'],
    ['with a zero-width joiner', 'a\u200dnn'],
    ['with a soft hyphen', 'an\u00adn'],
    ['with a variation selector after a digit', 'ann1\ufe0f'],
    ['with a Cyrillic letter', '\u0430nn'],
    ['with a Greek letter of mathematics', '\u{1d6c2}nn'],
    ['with a right-to-left override', 'ann\u202e'],
    ['with tag characters', 'ann\u{e0041}'],
    ['in wide letters', '\uff41\uff4e\uff4e'],
  ])('are kept apart by nobody, so one %s is refused', (_what, name) => {
    expect(nameFault(name)).not.toBeNull();
    expect(check(name)).toBe('suspicious_unicode');
  });
});

it.each([
  ['empty', ''],
  ['blank', ' \u00a0\t'],
  ['of nothing but what nobody sees', '\ufe0f'],
  ['of two lines', 'ann\nbob'],
  ['with a null', 'ann\0'],
  ['longer than it may be', 'a'.repeat(101)],
  ['no text', 7],
  ['nothing', undefined],
])('a name that is %s is refused', (_what, name) => {
  expect(check(name)).toBe('invalid_argument');
});

it.each([
  'Ana Lopes',
  'o\u2019neill',
  'desk:billing',
  'acme/eu-1',
  'a+b@x.com',
  '\u5f20\u4f1f',
  '\u0418\u0432\u0430\u043d',
  '\u{1f600} team',
])('%s is a name', (name) => {
  expect(check(name)).toBe('passes');
});

it('counts code points, as the log does', () => {
  expect(check('\u{1f600}'.repeat(100))).toBe('passes');
  expect(check('\u{1f600}'.repeat(101))).toBe('invalid_argument');
});

it('has one form only: the form of the form is itself, and plain names need no look at their letters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (name) => {
      const once = canonicalName(name);
      expect(canonicalName(once)).toBe(once);
      if (nameFault(name) === null) expect(once).not.toBe('');
    }),
    { numRuns: 2000 },
  );
});
