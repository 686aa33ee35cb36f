/** Longest cue, in words and in characters: too short to carry an instruction. */
export const MAX_CUE_WORDS = 3;
export const MAX_CUE_CHARS = 23;

/** Past this the text of one request is not read: it bounds the work on a pasted log. */
const MAX_TEXT_CHARS = 20_000;

const WORD = /[\p{L}\p{N}\p{M}]+(?:['’-][\p{L}\p{N}\p{M}]+)*/gu;
/** What a phrase does not reach across: everything but blanks between two words. */
const BREAK = /[^\p{L}\p{N}\p{M}'’ \t-]+/u;
const DIGITS = /^\p{N}+$/u;

/**
 * The phrases of a text: runs of one to three words, lower-cased, within one clause, shorter than 24 characters. What
 * is only digits (an order number, an amount) is no word, and no phrase reaches across it.
 * The work grows with the length of the text.
 */
export function phrasesOf(text: string): Set<string> {
  const phrases = new Set<string>();
  for (const clause of text.slice(0, MAX_TEXT_CHARS).normalize('NFC').toLowerCase().split(BREAK)) {
    let run: string[] = [];
    for (const word of clause.match(WORD) ?? []) {
      if (DIGITS.test(word)) {
        run = [];
        continue;
      }
      run = [...run, word].slice(-MAX_CUE_WORDS);
      for (let from = 0; from < run.length; from += 1) {
        const phrase = run.slice(from).join(' ');
        if (phrase.length <= MAX_CUE_CHARS) phrases.add(phrase);
      }
    }
  }
  return phrases;
}

/** True for text that could have come out of `phrasesOf`. */
export function isPhrase(text: string): boolean {
  return phrasesOf(text).has(text);
}
