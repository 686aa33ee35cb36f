import { DreamfoldError } from './errors.ts';
import { suspiciousCharacters } from './guards/suspicious-characters.ts';
import { firstCharacters, hasAtMost } from './guards/text-length.ts';

/** What the log takes of a principal's name, in code points. */
export const MAX_PRINCIPAL_CHARS = 200;
/** What the log takes of the name of whoever says something, in code points: an actor is `person:` and the name. */
export const MAX_LABELLER_CHARS = 100;

/** Marks that no reader sees; those that writing needs in their place pass the door, but tell no two names apart. */
const UNSEEN = /\p{Default_Ignorable_Code_Point}/gu;
/** In other texts these are signs of measure: µm, α-helix. */
const GREEK_AMONG_LATIN = /\p{Script=Greek}\p{M}*\p{Script=Latin}|\p{Script=Latin}\p{M}*\p{Script=Greek}/u;
const BLANKS = /\s+/gu;

/**
 * The one form in which a name counts: without blanks around it or invisible marks in it, composed and compatible (NFKC), in
 * lower case. A name is stored as it was given; two names with the same form are one principal, or one labeller.
 */
export function canonicalName(name: string): string {
  const plain = name.normalize('NFKC').replaceAll(UNSEEN, '').replaceAll(BLANKS, ' ').trim();
  return plain.toLowerCase().normalize('NFKC');
}

interface NameFault {
  code: 'invalid_argument' | 'suspicious_unicode';
  /** Words after "it". */
  words: string;
}

/** What keeps a name from being evidence, null when nothing does. */
export function nameFault(name: string): NameFault | null {
  // Nearly all names; none of these characters is taken for another.
  if (/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(name)) return null;
  const canonical = canonicalName(name);
  if (canonical === '') return { code: 'invalid_argument', words: 'is empty' };
  if (/\p{Cc}|[\u2028\u2029]/u.test(name)) {
    return { code: 'invalid_argument', words: 'holds a control character or a line break' };
  }
  // NFKC can bring out letters that were in the guise of others.
  const found =
    suspiciousCharacters(name) ??
    suspiciousCharacters(canonical) ??
    (GREEK_AMONG_LATIN.test(canonical) ? 'Latin and Greek letters in one word' : null);
  return found === null ? null : { code: 'suspicious_unicode', words: `holds ${found}` };
}

/**
 * The door for every name that comes from outside.
 * @param path where the name stands: an argument, an option, a place in a file
 * @throws DreamfoldError invalid_argument (no text, empty, a line break, too long), suspicious_unicode (invisible or deceptive characters)
 */
export function checkName(name: unknown, { path, maxChars }: { path: string; maxChars: number }): asserts name is string {
  if (typeof name !== 'string') {
    throw new DreamfoldError('invalid_argument', `${path} is no text, so it names nobody`, { path, value: name, remedy: 'Give a name.' });
  }
  const value = firstCharacters(name, maxChars).toWellFormed();
  if (!hasAtMost(name, maxChars)) {
    throw new DreamfoldError('invalid_argument', `${path} is a name of more than ${maxChars} characters`, {
      path,
      value,
      remedy: `Give a name of 1 to ${maxChars} characters.`,
    });
  }
  const fault = nameFault(name);
  if (fault === null) return;
  throw new DreamfoldError(fault.code, `${path} can't be used as a name: it ${fault.words}`, {
    path,
    value,
    remedy: 'Give the name in plain letters of one script, as people see and type it.',
  });
}
