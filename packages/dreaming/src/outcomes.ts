import type { InsightsCounted } from '@dreamfold/events';
import type { InsightCounts, MemoryState } from '@dreamfold/core';
import type { DecisionPoint } from './episode.ts';

/** An insight that misled so many principals, and more than it helped, is retired. */
export const HARMFUL_PRINCIPALS = 3;

const MAX_EVIDENCE = 6;

/** Who followed an insight as it was written last, and how that came out: each principal counts once on either side. */
export interface Outcome {
  /** The version at which the insight was written. */
  version: number;
  helpful: Set<string>;
  harmful: Set<string>;
  /** Some decisions that it misled, as `stream#seq`. */
  evidence: string[];
}

/** By insight id. */
export type Outcomes = Map<string, Outcome>;

/** A choice of the store, and the version at which it was written as it stands. */
interface StoredValue {
  tool: string;
  field: string;
  value: string;
  version: number;
}

/** By insight id. */
export type StoredValues = ReadonlyMap<string, StoredValue>;

/** The choices of a store as it stands. */
export function storedValues({ document, written }: Pick<MemoryState, 'document' | 'written'>): StoredValues {
  const values = new Map<string, StoredValue>();
  for (const memory of Object.values(document.memories)) {
    if (memory.kind === 'note') continue;
    for (const insight of Object.values(memory.insights)) {
      if (insight.kind !== 'choice') continue;
      const { tool, field, value } = insight;
      values.set(insight.id, { tool, field, value, version: written.get(insight.id) ?? 0 });
    }
  }
  return values;
}

/**
 * Counts a labelled decision for or against the insights that it followed: those that it was given, and whose value it
 * chose. Changes the outcomes in place.
 * @param stored what the insights of the store said
 */
export function countOutcome(
  outcomes: Outcomes,
  decision: DecisionPoint,
  { store, stored }: { store: string; stored: StoredValues },
): void {
  for (const { store: from, insight_id: id, version } of decision.given) {
    const insight = from === store ? stored.get(id) : undefined;
    if (insight === undefined || insight.tool !== decision.tool || insight.field !== decision.field) continue;
    if (insight.value !== decision.chosen || version < insight.version) continue;
    let counted = outcomes.get(id);
    if (counted?.version !== insight.version) {
      counted = { version: insight.version, helpful: new Set(), harmful: new Set(), evidence: [] };
      outcomes.set(id, counted);
    }
    const helped = decision.right === decision.chosen;
    counted[helped ? 'helpful' : 'harmful'].add(decision.principal);
    if (!helped && counted.evidence.length < MAX_EVIDENCE) counted.evidence.push(...decision.evidence);
  }
}

/** What has been counted beyond what the store knows, in the order of the ids. */
export function newCounts(
  outcomes: Outcomes,
  { counts: known, written }: Pick<MemoryState, 'counts' | 'written'>,
): InsightsCounted['counts'] {
  return [...outcomes]
    .filter(([id, { version }]) => written.get(id) === version)
    .map(([insight_id, { helpful, harmful }]) => {
      const before = known.get(insight_id) ?? { helpful: 0, harmful: 0 };
      return { insight_id, helpful: Math.max(0, helpful.size - before.helpful), harmful: Math.max(0, harmful.size - before.harmful) };
    })
    .filter(({ helpful, harmful }) => helpful + harmful > 0)
    .sort((a, b) => (a.insight_id < b.insight_id ? -1 : 1));
}

export function isHarmful(counts: InsightCounts | undefined): boolean {
  return counts !== undefined && counts.harmful >= HARMFUL_PRINCIPALS && counts.harmful > counts.helpful;
}
