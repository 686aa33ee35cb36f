import { replaceHidden, replaceMixedLetters } from '@dreamfold/events/suspicious-characters';

function escaped(character: string): string {
  const code = character.codePointAt(0)!.toString(16).padStart(4, '0');
  return code.length > 4 ? `\\u{${code}}` : `\\u${code}`;
}

/**
 * Text of models, tools and users as it may stand on a terminal. Shown as its escape is what could move the cursor, recolour or reorder the
 * line, what stands in it unseen, and, in a word of several scripts, each letter that only looks like a Latin one. Line breaks and tabs
 * stay, and so do emoji and the joiners of Arabic and Indic scripts.
 */
export function printable(text: string): string {
  return replaceMixedLetters(replaceHidden(text, escaped), escaped);
}

/** JSON with its hidden characters as escapes, which mean the same to whoever reads it. */
export function printableJson(json: string): string {
  return replaceHidden(json, (character) =>
    Array.from({ length: character.length }, (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''),
  );
}

/** Text in one line of at most `max` characters. */
export function oneLine(text: string, max: number): string {
  const line = printable(text).replaceAll(/\s+/g, ' ').trim();
  // A character of two halves is not cut in the middle.
  return line.length <= max ? line : `${line.slice(0, max - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** An argument of a command to copy, quoted where a shell would take it apart. */
export function shellWord(text: string): string {
  return /^[\w./:@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
