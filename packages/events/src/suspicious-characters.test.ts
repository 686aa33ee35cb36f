import { expect, it } from 'vitest';
import { suspiciousCharacters } from './suspicious-characters.ts';

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
  '👍🏽 👩‍💻 ❤️ 1️⃣ ✔️ © ™',
  'line one\n\tline two\r\n',
  'cafe\u0301',
])('%j is not', (text) => {
  expect(suspiciousCharacters(text)).toBeNull();
});
