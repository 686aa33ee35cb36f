import type { Target } from './target.ts';

/** Rows under titles, the first column to the left and the others to the right. */
export function textTable(titles: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const lines = [titles, ...rows].map((row) => row.map(String));
  const widths = titles.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const layOut = (line: readonly string[]): string =>
    line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  ');
  return lines.map(layOut).join('\n');
}

export function targetTable(targets: readonly Target[]): string {
  return textTable(
    ['target', 'measured', 'wanted', ''],
    targets.map(({ name, unit, value, limit, met }) => [
      name,
      `${value} ${unit}`,
      'atMost' in limit ? `≤ ${limit.atMost}` : `≥ ${limit.atLeast}`,
      met ? 'met' : 'missed',
    ]),
  );
}
