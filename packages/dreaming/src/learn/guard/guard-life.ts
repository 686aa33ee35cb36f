import type { DreamRefined, GuardReport } from '@dreamfold/events';

/** What the guard has to know of earlier looks, folded from what dreams have recorded. */
export interface GuardLife {
  /** How often it has looked at the lessons of the store. */
  readonly looks: number;
  /** For each field, how many lessons there were at the last look, … */
  readonly seen: ReadonlyMap<string, number>;
  /** … and when the store was last written from them. */
  readonly writtenFrom: ReadonlyMap<string, number>;
}

export const UNGUARDED: GuardLife = { looks: 0, seen: new Map(), writtenFrom: new Map() };

/** Adds the looks of a dream that has been completed. */
export function evolveGuard(before: GuardLife, refined: DreamRefined | null): GuardLife {
  const guard = refined?.guard ?? [];
  if (guard.length === 0) return before;
  const written = guard.filter(({ verdict }) => verdict === 'apply');
  return {
    looks: Math.max(before.looks, ...guard.map(({ look }) => look)),
    seen: new Map([...before.seen, ...guard.map((one) => [guardKey(one), one.lessons] as const)]),
    writtenFrom: new Map([...before.writtenFrom, ...written.map((one) => [guardKey(one), one.lessons] as const)]),
  };
}

export function guardKey({ tool, field }: Pick<GuardReport, 'tool' | 'field'>): string {
  return JSON.stringify([tool, field]);
}
