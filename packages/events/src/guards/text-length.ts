// The length of a text is counted in characters, and a character is a code point: an emoji of two UTF-16 units is one. It is the
// unit of JSON Schema's `maxLength` and of zod's `.max()`. `text.length` counts UTF-16 units, and must not judge a limit.

/** Number of characters (code points); half a surrogate pair counts as one. */
export function characterCount(text: string): number {
  let count = text.length;
  // The second unit of a pair makes no character of its own.
  for (let i = 1; i < text.length; i += 1) if (isSecondHalf(text, i)) count -= 1;
  return count;
}

/** Whether a text has at most so many characters. A text without surrogate pairs is not walked through. */
export function hasAtMost(text: string, maxCharacters: number): boolean {
  if (text.length <= maxCharacters) return true;
  return text.length <= maxCharacters * 2 && characterCount(text) <= maxCharacters;
}

/** The beginning of a text, at most so many characters of it; a surrogate pair is never cut in two. */
export function firstCharacters(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  let end = 0;
  for (let count = 0; count < maxCharacters && end < text.length; count += 1) end += isSecondHalf(text, end + 1) ? 2 : 1;
  return text.slice(0, end);
}

function isSecondHalf(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  if (!(unit >= 0xdc00 && unit <= 0xdfff)) return false;
  const before = text.charCodeAt(at - 1);
  return before >= 0xd800 && before <= 0xdbff;
}
