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
  return firstCharacters(words.toLowerCase().trim(), MAX_CHARS) || 'error';
}
