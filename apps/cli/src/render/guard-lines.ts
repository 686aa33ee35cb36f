import { guardText } from '@dreamfold/dreaming';
import type { GuardReport } from '@dreamfold/events';
import { printable } from './printable.ts';

/** What the guard found of each field, a line each. */
export function guardLines(guard: readonly GuardReport[]): string[] {
  return guard.map((report) => printable(`${report.field} of ${report.tool}: ${guardText(report)}`));
}
