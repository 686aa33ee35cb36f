import { expect, it } from 'vitest';
import { phrasesOf } from './phrases.ts';

it('a word that only looks like another one is no word, and no phrase reaches across it', () => {
  expect([...phrasesOf('my p\u0430rcel late')]).toEqual(['my', 'late']);
  expect([...phrasesOf('my parcel late')]).toContain('my parcel late');
  expect([...phrasesOf('\u{1d429}\u{1d41a}\u{1d42b}')]).toEqual([]);
});

it('a word of any one script is a word', () => {
  expect([...phrasesOf('Straße пакет 配送 café 5µm', 1)]).toEqual(['straße', 'пакет', '配送', 'café', '5µm']);
});
