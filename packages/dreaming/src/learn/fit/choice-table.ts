import type { ChoiceFit } from './choice-fit.ts';

/** Points a unit of log-odds: what people and policies read are small whole numbers. */
export const POINTS = 10;
/** A cue of fewer points tells too little to be kept. */
export const MIN_POINTS = 3;
const MAX_POINTS = 999;

/** What agents are told, or would be: points by word and value, and those that a value has whatever is said. */
export interface ChoiceTable {
  cues: ReadonlyMap<string, ReadonlyMap<string, number>>;
  base: ReadonlyMap<string, number>;
}

/** A weight as it is told. */
export function pointsOf(odds: number): number {
  return Math.min(MAX_POINTS, Math.round(odds * POINTS));
}

/** What of a fit would be told. */
export function tableOf({ cues, base }: ChoiceFit, { withBase }: { withBase: boolean }): ChoiceTable {
  const told = new Map<string, Map<string, number>>();
  for (const [word, byValue] of cues) {
    const clear = [...byValue].map(([value, odds]) => [value, pointsOf(odds)] as const).filter(([, points]) => points >= MIN_POINTS);
    if (clear.length > 0) told.set(word, new Map(clear));
  }
  return { cues: told, base: withBase ? basePoints(base) : new Map() };
}

/** Base rates as they are told: in points above those of the value that is right least often. */
export function basePoints(base: ReadonlyMap<string, number>): Map<string, number> {
  const least = Math.min(...base.values());
  return new Map([...base].map(([value, odds]) => [value, pointsOf(odds - least)]));
}

/** The value for which most is told where a request says these words; null where nothing is. The first of equals by name. */
export function bestTold({ cues, base }: ChoiceTable, words: readonly string[]): string | null {
  const sums = new Map<string, number>();
  for (const [value, points] of base) sums.set(value, points);
  for (const word of words) for (const [value, points] of cues.get(word) ?? []) sums.set(value, (sums.get(value) ?? 0) + points);
  let best: string | null = null;
  let most = -Infinity;
  for (const [value, points] of sums) if (points > most || (points === most && value < best!)) [best, most] = [value, points];
  return best;
}
