import { describe, expect, it } from 'vitest';
import { copiedRun } from './overlap.ts';

const SOURCE = 'My order from last Tuesday never came, and nobody answers.';

// The texts are written out: how long a copy is, is a promise, and no constant of the code.
describe('a copy', () => {
  it('is 24 characters of a source in a row', () => {
    expect(copiedRun('“order from last Tuesday ” is what was said', ['Hello.', SOURCE])).toBe('order from last Tuesday ');
  });

  it('is no shorter', () => {
    expect(copiedRun('“order from last Tuesday” is what was said', ['Hello.', SOURCE])).toBeNull();
  });

  it.each([
    ['in other case', '“ORDER from last TUESDAY ” is what was said'],
    ['with other blanks', '“order from\n  last\tTuesday ” is what was said'],
    ['in wide letters', '“ｏｒｄｅｒ from last Tuesday ” is what was said'],
  ])('is one %s too', (_how, text) => {
    expect(copiedRun(text, [SOURCE])).toBe('order from last tuesday ');
  });
});
