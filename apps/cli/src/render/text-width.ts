import { createRequire } from 'node:module';
import type stringWidthOf from 'string-width';
import type wrapAnsiOf from 'wrap-ansi';

const load = createRequire(import.meta.url);
let stringWidth: typeof stringWidthOf | null = null;

/** How many columns of a terminal a text takes. What knows of wide characters and colours is loaded for the first text that may hold some. */
export function textWidth(text: string): number {
  if (/^[\u0020-\u007e]*$/.test(text)) return text.length;
  stringWidth ??= (load('string-width') as { default: typeof stringWidthOf }).default;
  return stringWidth(text);
}

/** Text in lines of at most `room` columns, broken at words; a word that is longer stays whole. Loaded for the first text that is too long. */
export function brokenAtWords(text: string, room: number): string[] {
  const { default: wrapAnsi } = load('wrap-ansi') as { default: typeof wrapAnsiOf };
  return wrapAnsi(text, room).split('\n');
}
