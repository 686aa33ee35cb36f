import type { Io } from '../io.ts';

/**
 * The first lines of a list, and how many more there are.
 * @param of how many there are in all, where not every one has a line
 * @param what they are called, after their number
 */
export function printShortList(lines: readonly string[], { max, of = lines.length, what = '' }: ShortList, io: Io): void {
  for (const line of lines.slice(0, max)) io.line(`  ${line}`);
  if (of > max) io.line(`  and ${of - max} more${what === '' ? '' : ` ${what}`}; --json lists them`);
}

interface ShortList {
  max: number;
  of?: number;
  what?: string;
}
