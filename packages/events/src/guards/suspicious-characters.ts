/** Scripts whose writers type joiners between letters. */
const JOINING = [
  'Arabic',
  'Syriac',
  'Devanagari',
  'Bengali',
  'Gurmukhi',
  'Gujarati',
  'Oriya',
  'Tamil',
  'Telugu',
  'Kannada',
  'Malayalam',
  'Sinhala',
]
  .map((script) => `\\p{Script=${script}}`)
  .join('');
/** A flag of England, Scotland or Wales is spelt in tag characters; no other sequence of them is in use. */
const FLAG_TAGS = ['gbeng', 'gbsct', 'gbwls']
  .map((region) => Array.from(region, (letter) => `\\u{${(0xe0000 + letter.codePointAt(0)!).toString(16)}}`).join(''))
  .join('|');
/** What people type who write Arabic, Persian or Indic scripts, and what emoji are put together with. */
const IN_PLACE = [
  `(?<=[${JOINING}]\\p{M}*)[\\u200c\\u200d]`,
  `(?<=[\\p{Extended_Pictographic}\\p{Emoji_Modifier}])\\ufe0f`,
  `(?<=[\\p{Extended_Pictographic}\\p{Emoji_Modifier}]\\ufe0f?)\\u200d(?=\\p{Extended_Pictographic})`,
  `(?<=[0-9#*])\\ufe0f?\\u20e3`,
  `(?<=\\u{1f3f4})(?:${FLAG_TAGS})\\u{e007f}`,
].join('|');
const LINE = /[\n\r\t]/g;

const KINDS: readonly [name: string, pattern: RegExp][] = [
  ['a bidirectional control', /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u],
  ['a tag character', /[\u{e0000}-\u{e007f}]/u],
  ['a variation selector', /\p{Variation_Selector}/u],
  ['an invisible character', /[\p{Cf}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}\u2800\u{1d159}]/u],
  ['a control character', /[\p{Cc}]/u],
  ['a private or unassigned character', /[\p{Co}\p{Cn}\p{Cs}]/u],
];

/** All kinds, after what stands in its place. Plain characters, line breaks and tabs are none, and most text is made of them. */
const HIDDEN = new RegExp(
  `(?![\\n\\t\\x20-\\x7e])(?:(?<inPlace>${IN_PLACE})|${KINDS.map(([, pattern]) => pattern.source).join('|')})`,
  'gu',
);

/** Scripts that look alike, two of which never stand in one word. */
const SCRIPTS: readonly [name: string, pattern: RegExp][] = [
  ['Latin', /\p{Script=Latin}/u],
  ['Cyrillic', /\p{Script=Cyrillic}/u],
  ['Greek', /\p{Script=Greek}/u],
  ['Armenian', /\p{Script=Armenian}/u],
  ['Cherokee', /\p{Script=Cherokee}/u],
];
/** A letter of those that are not Latin. */
const LOOKALIKE = /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}]/u;
const WORD = /[\p{L}\p{M}]+/gu;
/** Signs of measure and mathematics, in Latin text by themselves: µm, Ωm, Δt. */
const SIGN = /^[\u00b5\u03bc\u03a9\u2126\u0394\u2206\u03c0\u03c3\u03bb\u03b1\u03b2](?=[A-Za-z])/u;
/** Letters of mathematics and in circles, which read as plain ones: never needed in a memory. */
const STYLED = /[\u{1d400}-\u{1d7ff}\u2460-\u24ff\u{1f130}-\u{1f189}\uff21-\uff3a\uff41-\uff5a]{2,}/u;

export interface SuspiciousPlace {
  /** What is wrong with it, such as `an invisible character (U+200B)`. */
  what: string;
  /** Where in the text it begins, in UTF-16 units. */
  index: number;
}

/** The first thing that is suspicious about the characters of a text, or null. After UTS 39, cut down to what names, cues and notes need. */
export function findSuspicious(text: string): SuspiciousPlace | null {
  for (const { 0: character, index, groups } of text.replaceAll(LINE, ' ').matchAll(HIDDEN)) {
    if (groups?.['inPlace'] !== undefined) continue;
    const [name] = KINDS.find(([, pattern]) => pattern.test(character))!;
    return { what: `${name} (U+${codeOf(character)})`, index };
  }
  const styled = text.search(STYLED);
  if (styled >= 0) return { what: 'letters in the guise of others', index: styled };
  if (!LOOKALIKE.test(text)) return null;
  for (const { 0: word, index } of text.matchAll(WORD)) {
    const scripts = scriptsOf(word);
    if (scripts.length > 1) return { what: `${scripts.join(' and ')} letters in one word`, index };
  }
  return null;
}

/** What is suspicious about the characters of a text, or null; see `findSuspicious`. */
export function suspiciousCharacters(text: string): string | null {
  return findSuspicious(text)?.what ?? null;
}

/**
 * Puts something in the place of each character that a reader does not see, or that reorders or moves what they see: controls, bidirectional
 * marks, fillers, tags, variation selectors, private and unassigned ones. Line breaks, tabs, emoji and the joiners of scripts stay.
 */
export function replaceHidden(text: string, replace: (character: string) => string): string {
  return text.replaceAll(HIDDEN, (match: string, inPlace: string | undefined) => (inPlace === undefined ? replace(match) : match));
}

/** Puts something in the place of each letter that is not Latin in a word of scripts that look alike. */
export function replaceMixedLetters(text: string, replace: (letter: string) => string): string {
  if (!LOOKALIKE.test(text)) return text;
  return text.replaceAll(WORD, (word) => {
    if (scriptsOf(word).length < 2) return word;
    return word.replaceAll(/\p{L}/gu, (letter) => (/\p{Script=Latin}/u.test(letter) || isPlainLetter(letter) ? letter : replace(letter)));
  });
}

function isPlainLetter(letter: string): boolean {
  return !SCRIPTS.some(([, pattern]) => pattern.test(letter));
}

function scriptsOf(word: string): string[] {
  // Most words are of one script, and plain.
  if (PLAIN.test(word)) return [];
  const letters = word.replace(SIGN, '');
  return SCRIPTS.filter(([, pattern]) => pattern.test(letters)).map(([name]) => name);
}

const PLAIN = /^[A-Za-z]*$/;

function codeOf(character: string): string {
  return character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
}
