import { describe, expect, it } from 'vitest';
import { regexpSteps, repeated } from './regexp-steps.ts';

/** How the work grows when the text is twice as long. */
function growth(pattern: RegExp, part: string, length = 400): number {
  const steps = regexpSteps(pattern);
  return steps(repeated(part, 2 * length)) / steps(repeated(part, length));
}

describe('the steps of a pattern', () => {
  it('are the characters that are looked at', () => {
    // One at each place, and at the end; a second one after each a.
    expect(regexpSteps(/ab/)('xxxx')).toBe(5);
    expect(regexpSteps(/ab/)('aaaa')).toBe(9);
    expect(regexpSteps(/[a-c]{2}\d|b$/i)('AB')).toBe(10);
    expect(regexpSteps(/(?<=a)b|\bx/u)('👍b')).toBeGreaterThan(0);
  });

  it.each([
    ['a word', /\bignore\b/i, 'ignore '],
    ['what is bounded', /x.{0,20}y/, 'x'],
    ['what nothing else can match', /[a-z]+-\d/, '- '],
    ['what begins behind a sign', /(?<![\w-])[\w-]{8,30}=/, 'ab-'],
    ['groups that are named again', /(?:([ -])\d{4}\1\d{4})/, '4111 '],
  ])('of %s grow with the text', (_what, pattern, part) => {
    expect(growth(pattern, part)).toBeLessThan(2.3);
  });

  it.each<[what: string, of: [pattern: RegExp, part: string, length: number]]>([
    ['a repetition that begins anywhere', [/x.*y/, 'x', 400]],
    ['two repetitions of the same', [/a+a+b/, 'a', 40]],
    ['a group in a group', [/(?:a+)+b/, 'a', 6]],
    ['a lookahead to the end', [/x(?=.*y)/, 'x', 400]],
  ])('of %s grow faster', (_what, of) => {
    expect(growth(...of)).toBeGreaterThan(3);
  });
});
