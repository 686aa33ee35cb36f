import { expect, it } from 'vitest';
import { replaceHidden, replaceMixedLetters, suspiciousCharacters } from './suspicious-characters.ts';

it.each([
  ['a bidi override', 'pay\u202eyap'],
  ['an isolate', 'a\u2066b'],
  ['a right-to-left mark', 'a\u200fb'],
  ['a zero-width space', 're\u200bfund'],
  ['a zero-width joiner in a word', 're\u200dfund'],
  ['a soft hyphen', 're\u00adfund'],
  ['a word joiner', 'a\u2060b'],
  ['a byte order mark', '\ufeffrefund'],
  ['tag characters', 'ok\u{e0049}\u{e0067}'],
  ['a variation selector of text', 'a\ufe01'],
  ['a supplementary variation selector', 'a\u{e0101}'],
  ['a Hangul filler', 'a\u3164'],
  ['a braille blank', 'a\u2800b'],
  ['a control character', 'a\u0007'],
  ['an escape sequence', '\u001b[2J'],
  ['a private character', '\ue000'],
  ['half a surrogate pair', 'a\ud800'],
  ['a Cyrillic letter in a Latin word', 'p\u0430ypal'],
  ['a Greek letter in a Latin word', 'b\u03bfx'],
  ['letters of mathematics', '\u{1d422}\u{1d420}\u{1d427}'],
  ['a variation selector after a digit', '7\ufe0f'],
  ['several variation selectors after an emoji', '❤\ufe0f\ufe0f'],
  ['two joiners in a row', '\u0645\u200c\u200c\u062e'],
  ['tag characters after a flag that are no region', '🏴\u{e0061}\u{e007f}'],
  ['a null note head', 'a\u{1d159}'],
  ['a control of music', 'a\u{1d173}'],
  ['a control of hieroglyphs', 'a\u{13430}'],
  ['wide letters', '\uff49\uff47\uff4e'],
])('%s is suspicious', (_what, text) => {
  expect(suspiciousCharacters(text)).not.toBeNull();
});

it.each([
  'Où est ma facture\u00a0? — “bientôt” … naïve café, Straße, 3\u00d710\u207b\u00b3 \u20ac',
  'не работает вход. The customer wrote «вход»',
  'λόγος and logos; 5 µm, Δt, Ωm, πr²',
  '注文番号を教えてください。한국어 ไทย עברית العربية',
  '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645',
  '👍🏽 👩‍💻 👩🏽‍💻 🏳️‍🌈 ❤️ 1️⃣ #⃣ ✔️ © ™ 🇩🇪 🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}',
  '\u0915\u094d\u200d\u0937 \u0c95\u0ccd\u200c\u0cb7 \u0645\u064e\u200c\u0645',
  'line one\n\tline two\r\n',
  'cafe\u0301',
])('%j is not', (text) => {
  expect(suspiciousCharacters(text)).toBeNull();
});

it('what is hidden is replaced where it stands, and nothing else', () => {
  expect(replaceHidden('a\u200bb\u{e0041}\n\t👩‍💻\r', (c) => `<${c.codePointAt(0)!.toString(16)}>`)).toBe('a<200b>b<e0041>\n\t👩‍💻<d>');
});

it('letters of another script are replaced in words that mix them, and in no other', () => {
  const mark = (text: string): string => replaceMixedLetters(text, () => '?');
  expect(mark('p\u0430ypal, вход, 5 \u00b5m, b\u03bfx')).toBe('p?ypal, вход, 5 \u00b5m, b?x');
});
