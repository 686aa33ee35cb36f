/** Marks that people who write Arabic, Persian or Indic scripts type, and the variation selector and joiner of emoji. */
const IN_PLACE =
  /(?<=[\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Malayalam}\p{Script=Sinhala}])[\u200c\u200d]|(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f0-9#*])(?:\ufe0f|\u200d(?=\p{Extended_Pictographic})|\u20e3)/gu;
const LINE = /[\n\r\t]/g;

const KINDS: readonly [name: string, pattern: RegExp][] = [
  ['a bidirectional control', /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u],
  ['a tag character', /[\u{e0000}-\u{e007f}]/u],
  ['a variation selector', /\p{Variation_Selector}/u],
  ['an invisible character', /\p{Cf}|\p{Default_Ignorable_Code_Point}|[\u2028\u2029\u2800]/u],
  ['a control character', /[\p{Cc}]/u],
  ['a private or unassigned character', /[\p{Co}\p{Cn}\p{Cs}]/u],
];

/** Scripts that look alike, two of which never stand in one word. */
const SCRIPTS: readonly [name: string, pattern: RegExp][] = [
  ['Latin', /\p{Script=Latin}/u],
  ['Cyrillic', /\p{Script=Cyrillic}/u],
  ['Greek', /\p{Script=Greek}/u],
  ['Armenian', /\p{Script=Armenian}/u],
  ['Cherokee', /\p{Script=Cherokee}/u],
];
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
  // What is in its place gives way to as many blanks, so that all else keeps its own.
  const visible = text.replaceAll(LINE, ' ').replaceAll(IN_PLACE, (marks) => ' '.repeat(marks.length));
  for (const [name, pattern] of KINDS) {
    const found = pattern.exec(visible);
    if (found === null) continue;
    const point = found[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
    return { what: `${name} (U+${point})`, index: found.index };
  }
  const styled = visible.search(STYLED);
  if (styled >= 0) return { what: 'letters in the guise of others', index: styled };
  for (const { 0: word, index } of visible.matchAll(WORD)) {
    const scripts = SCRIPTS.filter(([, pattern]) => pattern.test(word.replace(SIGN, ''))).map(([name]) => name);
    if (scripts.length > 1) return { what: `${scripts.join(' and ')} letters in one word`, index };
  }
  return null;
}

/** What is suspicious about the characters of a text, or null; see `findSuspicious`. */
export function suspiciousCharacters(text: string): string | null {
  return findSuspicious(text)?.what ?? null;
}
