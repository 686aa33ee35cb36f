import { expect, test } from 'vitest';
import { oneLine, printable, printableJson, shellWord } from './printable.ts';

test.each([
  ['tag characters', 'ok\u{e0049}\u{e007f}', String.raw`ok\u{e0049}\u{e007f}`],
  ['a soft hyphen', 're\u00adfund', String.raw`re\u00adfund`],
  ['word joiners and invisible signs', 'a\u2060\u2061\u2062\u2063\u2064b', String.raw`a\u2060\u2061\u2062\u2063\u2064b`],
  ['a grapheme joiner', 'a\u034fb', String.raw`a\u034fb`],
  ['Hangul fillers', '\u115f\u1160\u3164\uffa0', String.raw`\u115f\u1160\u3164\uffa0`],
  ['a Mongolian vowel separator', 'a\u180eb', String.raw`a\u180eb`],
  ['deprecated format controls', 'a\u206a\u206fb', String.raw`a\u206a\u206fb`],
  ['a braille blank', 'a\u2800b', String.raw`a\u2800b`],
  ['variation selectors', 'a\ufe00b\u{e0100}', String.raw`a\ufe00b\u{e0100}`],
  ['controls of music and hieroglyphs', 'a\u{1d173}\u{13430}', String.raw`a\u{1d173}\u{13430}`],
  [
    'controls, bidirectional marks and separators',
    '\u001b[2J\u009b\r\u061c\u202e\u2028',
    String.raw`\u001b[2J\u009b\u000d\u061c\u202e\u2028`,
  ],
  ['a letter in the guise of a Latin one', 'to p\u0430ypal, вход', String.raw`to p\u0430ypal, вход`],
])('%s are shown as what they are', (_what, text, shown) => {
  expect(printable(text)).toBe(shown);
  expect(printable(shown)).toBe(shown);
});

test.each(['👩‍💻 👍🏽 ❤️ 1️⃣ 🏴󠁧󠁢󠁥󠁮󠁧󠁿', '\u0645\u06cc\u200c\u062e\u0648', '\u0915\u094d\u200d\u0937', 'a\n\tb', 'naïve Straße 5 µm 日本語'])(
  '%j stays readable',
  (text) => expect(printable(text)).toBe(text),
);

test('JSON keeps its meaning, whatever is escaped in it', () => {
  const value = { to: 'p\u202ea\u{e0041}', '\u200b': '👩‍💻' };
  const json = printableJson(JSON.stringify(value, null, 2));
  expect(JSON.parse(json)).toEqual(value);
  expect(json).toContain(String.raw`p\u202ea\udb40\udc41`);
});

test('a line is cut between characters', () => {
  expect(oneLine(`abc${'👍'.repeat(5)}`, 7)).toBe('abc👍…');
});

test.each([
  ['billing.md', 'billing.md'],
  ['', "''"],
  ['two words', "'two words'"],
  ["it's; rm -rf ~", String.raw`'it'\''s; rm -rf ~'`],
  ['$(date)', "'$(date)'"],
])('%s is one argument of a command to copy', (text, word) => {
  expect(shellWord(text)).toBe(word);
});
