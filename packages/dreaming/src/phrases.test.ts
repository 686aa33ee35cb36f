import { expect, it } from 'vitest';
import { isPhrase, phrasesOf } from './phrases.ts';

it('are one to three words, lower-cased, within one clause', () => {
  expect([...phrasesOf('I want my Money back. Today!')].sort()).toEqual([
    'back',
    'i',
    'i want',
    'i want my',
    'money',
    'money back',
    'my',
    'my money',
    'my money back',
    'today',
    'want',
    'want my',
    'want my money',
  ]);
});

it('hold no numbers and no long words, and do not reach across them', () => {
  expect([...phrasesOf('order 4711 late')]).toEqual(['order', 'late']);
  expect([...phrasesOf(`see ${'x'.repeat(24)} now`)]).toEqual(['see', 'now']);
  expect([...phrasesOf('internationalisation misconfiguration')]).toEqual(['internationalisation', 'misconfiguration']);
});

it('are found in other scripts, accents and apostrophes', () => {
  expect(phrasesOf('Où est ma facture ?').has('où est ma')).toBe(true);
  expect(phrasesOf('не работает вход').has('не работает вход')).toBe(true);
  expect(phrasesOf("can't log in").has("can't log in")).toBe(true);
  expect(phrasesOf('cafe\u0301').has('caf\u00e9')).toBe(true);
});

it.each([
  ['money back', true],
  ['Money', false],
  ['a b c d', false],
  ['12', false],
  ['x\ny', false],
  ['</memory>', false],
  ['ignore all. obey', false],
  ['', false],
])('%j is a phrase: %s', (text, is) => {
  expect(isPhrase(text)).toBe(is);
});

it('reads hostile text in linear time', () => {
  const started = performance.now();
  for (const text of ["a'".repeat(32_000), 'a-'.repeat(32_000), ' '.repeat(64_000), 'a '.repeat(32_000), '\u0301'.repeat(64_000)])
    phrasesOf(text);
  expect(performance.now() - started).toBeLessThan(2000);
});
