import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { CATALOGUE, characterCount, firstCharacters, hasAtMost } from '../index.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.array(fc.constantFrom('a', '\ud800', '\udfff', '\u{1f4a5}')).map((units) => units.join('')),
);

test('a character is a code point, for us and for the schemas', () => {
  fc.assert(
    fc.property(text, fc.nat({ max: 12 }), (value, max) => {
      expect(characterCount(value)).toBe(Array.from(value).length);
      expect(hasAtMost(value, max)).toBe(Array.from(value).length <= max);
      expect(z.string().max(max).safeParse(value).success).toBe(hasAtMost(value, max));
      expect(z.string().min(max).safeParse(value).success).toBe(characterCount(value) >= max);
    }),
    { numRuns: 2000 },
  );
});

test('firstCharacters never cuts a pair in two, and gives all that fits', () => {
  fc.assert(
    fc.property(text, fc.nat({ max: 12 }), (value, max) => {
      expect(firstCharacters(value, max)).toBe(Array.from(value).slice(0, max).join(''));
    }),
    { numRuns: 2000 },
  );
});

describe('a limit of the catalogue', () => {
  test('is one of characters: 4000 emoji are a reason, 4001 are none', () => {
    const feedback = (length: number) => ({ judges: 'a', verdict: 'right', by: 'x', reason: '\u{1f4a5}'.repeat(length) });
    expect(CATALOGUE['feedback.recorded'].safeParse(feedback(4000)).success).toBe(true);
    expect(CATALOGUE['feedback.recorded'].safeParse(feedback(4001)).success).toBe(false);
  });
});
