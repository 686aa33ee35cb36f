/** The longest text that an imported event keeps, as stored: escaped and in UTF-8. It leaves room for the payload around it. */
export const MAX_TEXT_BYTES = 200 * 1024;

/** Bytes of one character inside a JSON string, in UTF-8. */
function storedBytes(codePoint: number): number {
  if (codePoint < 0x20) return codePoint >= 0x08 && codePoint <= 0x0d && codePoint !== 0x0b ? 2 : 6;
  if (codePoint === 0x22 || codePoint === 0x5c) return 2;
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x1_0000 ? 3 : 4;
}

/** Bytes of the text in UTF-8, which is how JSON is stored. */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const codePoint = character.codePointAt(0)!;
    bytes += codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x1_0000 ? 3 : 4;
  }
  return bytes;
}

/** How many UTF-16 units from the start take at most `maxBytes` when stored. */
function unitsWithin(text: string, maxBytes: number): number {
  let bytes = 0;
  let units = 0;
  for (const character of text) {
    bytes += storedBytes(character.codePointAt(0)!);
    if (bytes > maxBytes) break;
    units += character.length;
  }
  return units;
}

/**
 * The text, or as much of its beginning as fits, with a mark that says how much is missing.
 * @returns `lost`: characters (UTF-16 units) that were left out, 0 for a text that fits
 */
export function cutText(text: string, maxBytes: number = MAX_TEXT_BYTES): { text: string; lost: number } {
  // A UTF-16 unit takes at most 6 bytes, so most texts need no counting.
  if (text.length * 6 <= maxBytes) return { text, lost: 0 };
  if (unitsWithin(text, maxBytes) === text.length) return { text, lost: 0 };
  const kept = unitsWithin(text, maxBytes - 100);
  const lost = text.length - kept;
  return { text: `${text.slice(0, kept)}\n[cut on import: ${lost} of ${text.length} characters left out]`, lost };
}
