import { firstCharacters } from '@dreamfold/events';

const MAX_CHARS = 200;

/** An id, an amount, a date, a flight: what has a digit in it. */
const FIGURE = /[\p{L}\p{N}_.:/@#$€£%-]*\p{N}[\p{L}\p{N}_.:/@#$€£%-]*/gu;
const QUOTED = /"[^"\n]{1,80}"|`[^`\n]{1,80}`|(?<![\p{L}\p{N}])'[^'\n]{1,80}'(?![\p{L}\p{N}])/gu;
/** A name: capitalised, after a lower-case word or a comma. The first word of a sentence is none. */
const NAME = /(?<=[\p{Ll}\p{N}*,] )\p{Lu}[\p{L}'’-]*(?: \p{Lu}[\p{L}'’-]*)*/gu;

/** An error with its figures, ids, dates and names taken out: two errors of the same kind have the same signature. */
export function errorSignature(text: string): string {
  const line =
    text
      .slice(0, 2000)
      .normalize('NFKC')
      .split('\n')
      .find((part) => part.trim() !== '') ?? '';
  const plain = line.replaceAll(QUOTED, '*').replaceAll(FIGURE, '*').replaceAll(NAME, '*');
  const words = plain.replaceAll(/[\s\p{C}]+/gu, ' ').replaceAll(/\*(?:[ ,*]*\*)+/g, '*');
  return cut(words.toLowerCase().trim()) || 'error';
}

/** At the end of a word: a part of one would pass for another. */
function cut(text: string): string {
  const kept = firstCharacters(text, MAX_CHARS);
  if (kept === text) return text;
  const end = text[kept.length] === ' ' ? kept.length : kept.lastIndexOf(' ');
  return end > 0 ? kept.slice(0, end) : kept;
}

const WORD = /[\p{L}\p{M}\p{N}]+/gu;

/** The words of a text, as signatures have them. */
export function wordsIn(text: string): string[] {
  return text.normalize('NFKC').toLowerCase().match(WORD) ?? [];
}

/** A signature of which only some words are left. */
export function withWords(signature: string, keep: ReadonlySet<string>): string {
  return signature.replaceAll(WORD, (word) => (keep.has(word) ? word : '*')).replaceAll(/\*(?:[\s,.;:'’"()*/-]*\*)+/gu, '*');
}
