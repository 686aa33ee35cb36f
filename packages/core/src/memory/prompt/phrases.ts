import { hasAtMost, suspiciousCharacters } from '@dreamfold/events';

/** The longest phrase that is a cue, in words, and the longest of its words: too short to carry an instruction. */
const MAX_PHRASE_WORDS = 3;
const MAX_WORD_CHARS = 23;

/** Past this the text of one request is not read: it bounds the work on a pasted log. */
const MAX_TEXT_CHARS = 20_000;

const WORD = /[\p{L}\p{N}\p{M}]+(?:['’-][\p{L}\p{N}\p{M}]+)*/gu;
/** What a phrase does not reach across: everything but blanks between two words. */
const BREAK = /[^\p{L}\p{N}\p{M}'’ \t-]+/u;
const DIGITS = /^\p{N}+$/u;
const PLAIN = /^[\x21-\x7e]*$/;

/**
 * The phrases that a text says: runs of one to three words, lower-cased, within one clause. What is only digits (an order
 * number, an amount), longer than a word, or written so that it looks like another one (two scripts in one word) is no word,
 * and no phrase reaches across it.
 * The work grows with the length of the text.
 * @param maxWords 1 for the words alone
 */
export function phrasesOf(text: string, maxWords: number = MAX_PHRASE_WORDS): Set<string> {
  const phrases = new Set<string>();
  for (const clause of text.slice(0, MAX_TEXT_CHARS).normalize('NFC').toLowerCase().split(BREAK)) {
    let run: string[] = [];
    for (const word of clause.match(WORD) ?? []) {
      run = !hasAtMost(word, MAX_WORD_CHARS) || DIGITS.test(word) || isOdd(word) ? [] : [...run, word].slice(-maxWords);
      for (let from = 0; from < run.length; from += 1) phrases.add(run.slice(from).join(' '));
    }
  }
  return phrases;
}

function isOdd(word: string): boolean {
  return !PLAIN.test(word) && suspiciousCharacters(word) !== null;
}
