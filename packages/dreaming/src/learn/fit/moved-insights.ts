import type { BaseRateInsight, ChoiceInsight } from '@dreamfold/events';
import type { ChoiceLearner } from '../choice-learner.ts';
import type { ChoiceTable } from './choice-table.ts';
import { movedValues } from './what-moved.ts';

/** What is told of the values of fields. */
export type TellingInsight = ChoiceInsight | BaseRateInsight;

/**
 * The ids of the choices that are worth writing again.
 * @param before what stands, or waits for somebody @param after what the lessons bear out now
 */
export function movedInsights(
  learners: Iterable<ChoiceLearner>,
  { before, after, approval }: { before: readonly TellingInsight[]; after: readonly TellingInsight[]; approval: 'auto' | 'manual' },
): ReadonlySet<string> {
  const moved = new Set<string>();
  for (const { tool, field, by, taught, options } of learners) {
    if (by === 'customers') continue;
    const of = (all: readonly TellingInsight[]): TellingInsight[] => all.filter((one) => one.tool === tool && one.field === field);
    const [was, is] = [of(before), of(after)];
    const values = movedValues(taught, { values: [...options], before: toldBy(was), after: toldBy(is), approval });
    for (const one of is) if (one.kind === 'choice' && values.has(one.value)) moved.add(one.id);
  }
  return moved;
}

/** What insights tell of the values of one field. */
export function toldBy(insights: readonly TellingInsight[]): ChoiceTable {
  const cues = new Map<string, Map<string, number>>();
  const base = new Map<string, number>();
  for (const insight of insights) {
    if (insight.kind === 'base_rate') {
      for (const { value, points } of insight.values) base.set(value, points);
      continue;
    }
    const { value, cues: said } = insight;
    for (const { phrase, points } of said) {
      const byValue = cues.get(phrase) ?? new Map<string, number>();
      cues.set(phrase, byValue.set(value, points));
    }
  }
  return { cues, base };
}
