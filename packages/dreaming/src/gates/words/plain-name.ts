import { alarmingPhrases } from './alarm.ts';

/** Letters and digits, with one or two marks or a blank between them; a question mark may end it. */
const NAME = /^[\p{L}\p{N}\p{M}]+(?:(?: & | |[_.:/&+-]{1,2})[\p{L}\p{N}\p{M}]+)*\??$/u;
/** One word, such as `balance_not_updated_after_cheque_or_cash_deposit`. */
const MAX_WORD_CHARS = 64;
/** Several, such as `Credit card`. */
const MAX_CHARS = 40;
const MAX_WORDS = 4;

/**
 * True for what can be the name of a tool, a field or a value and is too short and plain to be a sentence: one word of at
 * most 64 characters, or up to four words of at most 40 together, of letters and digits with blanks or marks
 * (_ . : / & + -) between them, that sound like no order.
 */
export function isPlainName(text: string): boolean {
  const words = text.split(' ');
  const fits = words.length === 1 ? text.length <= MAX_WORD_CHARS : text.length <= MAX_CHARS && words.length <= MAX_WORDS;
  return fits && NAME.test(text) && alarmingPhrases(text.replaceAll(/[_.:/+-]/g, ' ')).length === 0;
}
