import { expect, it } from 'vitest';
import { cutText, utf8Bytes } from './cut-text.ts';

const stored = (text: string): number => Buffer.byteLength(JSON.stringify(text)) - 2;

it.each(['plain', 'é'.repeat(99), '\u0001', '"\\\n\t', '\u{1F600}', '日本', '\u007f\u000b'])('cuts %j by its stored size', (unit) => {
  const text = unit.repeat(2000);
  const exact = stored(text);
  expect(cutText(text, exact)).toEqual({ text, lost: 0 });
  const cut = cutText(text, exact - 1);
  expect(stored(cut.text)).toBeLessThan(exact);
  expect(cut.text.isWellFormed()).toBe(true);
  expect(cut.text.startsWith(text.slice(0, text.length - cut.lost))).toBe(true);
  expect(cut.text).toContain(`[cut on import: ${cut.lost} of ${text.length} characters left out]`);
  expect(utf8Bytes(text)).toBe(Buffer.byteLength(text));
});
