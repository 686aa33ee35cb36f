import { textWidth } from './text-width.ts';

export interface Column<Row> {
  title: string;
  value: (row: Row) => string | number;
  align?: 'left' | 'right';
  /** Where the room is short, cells are cut to this width, with an ellipsis. Left out: they are never cut. */
  shrinksTo?: number;
  /** Where cutting is not enough, columns are left out in this order, 1 first. Left out: the column stays. */
  hides?: number;
}

/** How a column is laid out, and its cells. */
interface Strip {
  title: string;
  right: boolean;
  least: number;
  width: number;
  hides: number;
  cells: readonly string[];
}

const GAP = '  ';
const graphemes = new Intl.Segmenter();

/**
 * Rows as lines of at most `room` columns of a terminal: first cells shrink, then columns are left out, and what then still does not
 * fit is cut with an ellipsis.
 * @param cells what stands in each row, already in one line and printable
 * @returns `hidden`: the titles of the columns that were left out
 */
export function layOutTable(
  cells: readonly (readonly string[])[],
  columns: readonly Column<never>[],
  room: number,
): { head: string; rows: string[]; hidden: string[] } {
  const all = columns.map((column, i) =>
    stripOf(
      column,
      cells.map((row) => row[i]!),
    ),
  );
  const hidden: string[] = [];
  let strips = all;
  while (leastOf(strips) > room) {
    const next = strips.filter(({ hides }) => hides > 0).sort((a, b) => a.hides - b.hides)[0];
    if (next === undefined) break;
    hidden.push(next.title.trim());
    strips = strips.filter((strip) => strip !== next);
  }
  const fitted = fit(strips, room);
  const line = (texts: readonly string[]): string =>
    cut(
      fitted
        .map((strip, i) => padded(texts[i]!, strip))
        .join(GAP)
        .trimEnd(),
      room,
    );
  return {
    head: line(fitted.map(({ title }) => title)),
    rows: cells.map((_, row) => line(fitted.map((strip) => strip.cells[row]!))),
    hidden,
  };
}

function stripOf({ title, align, shrinksTo, hides = 0 }: Column<never>, cells: readonly string[]): Strip {
  const width = Math.max(textWidth(title), ...cells.map((cell) => textWidth(cell)));
  return { title, right: align === 'right', width, least: Math.min(width, Math.max(shrinksTo ?? width, textWidth(title))), hides, cells };
}

function leastOf(strips: readonly Strip[]): number {
  return strips.reduce((sum, { least }) => sum + least, 0) + GAP.length * Math.max(0, strips.length - 1);
}

/** Gives the room that is left to the columns from the left, each as much as it can use. */
function fit(strips: readonly Strip[], room: number): Strip[] {
  let left = room - leastOf(strips);
  return strips.map((strip) => {
    const more = Math.max(0, Math.min(strip.width - strip.least, left));
    left -= more;
    return { ...strip, width: strip.least + more };
  });
}

function padded(text: string, { width, right }: Strip): string {
  const shown = cut(text, width);
  const blanks = ' '.repeat(Math.max(0, width - textWidth(shown)));
  return right ? `${blanks}${shown}` : `${shown}${blanks}`;
}

/** Text of at most `width` columns; what is cut ends with an ellipsis. */
export function cut(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const { segment } of graphemes.segment(text)) {
    used += textWidth(segment);
    if (used > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}
