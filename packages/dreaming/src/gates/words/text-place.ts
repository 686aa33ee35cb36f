/** Where in a text something stands, as editors count: `line 3, column 9`. @param index in UTF-16 units */
export function textPlace(text: string, index: number): string {
  const lines = text.slice(0, index).split(/\r\n|\r|\n/);
  return `line ${lines.length}, column ${Array.from(lines.at(-1)!).length + 1}`;
}
