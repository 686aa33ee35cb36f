import type { BenchOptions } from '../../rounds.ts';
import type { Target } from '../../target.ts';

/** Figures of a run: numbers, and what they are figures of, at any depth. */
export type Figures = { readonly [name: string]: Figure };
type Figure = number | string | null | Figures | readonly Figure[];

/** A way to ask how well memory serves. */
export interface Scenario {
  /** Of one seed. */
  run(options: BenchOptions, progress: ScenarioProgress): Promise<Figures>;
  /** What the figures are to reach, and how people read them. */
  tell(figures: Figures): { targets: Target[]; table: string };
}

export interface ScenarioProgress {
  /** How many steps there will be, sessions for the most part. */
  total(steps: number): void;
  step(figure?: { accuracy: number }): void;
}

/** A scenario tells of the figures that it has made. */
export function scenario<F extends Figures>({
  run,
  tell,
}: {
  run: (options: BenchOptions, progress: ScenarioProgress) => Promise<F>;
  tell: (figures: F) => { targets: Target[]; table: string };
}): Scenario {
  return { run, tell: (figures) => tell(figures as F) };
}

/** The mean of figures that have the same shape, number by number; what is no number is that of the first. */
export function meanOf<F extends Figure>(all: readonly F[]): F {
  return mean(all) as F;
}

function mean(all: readonly Figure[]): Figure {
  const [first] = all as [Figure, ...Figure[]];
  if (typeof first === 'number') return Math.round((all.reduce<number>((sum, one) => sum + (one as number), 0) / all.length) * 1e4) / 1e4;
  if (typeof first !== 'object' || first === null) return first;
  if (Array.isArray(first)) return first.map((_, i) => mean(all.map((one) => (one as readonly Figure[])[i]!)));
  return Object.fromEntries(Object.keys(first).map((name) => [name, mean(all.map((one) => (one as Figures)[name]!))]));
}
