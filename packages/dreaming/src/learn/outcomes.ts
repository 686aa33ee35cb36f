import type { InsightsCounted } from '@dreamfold/events';
import type { InsightCounts, MemoryDocument, MemoryState } from '@dreamfold/core';
import type { DecisionPoint } from '../episodes/episode.ts';

/** An insight that misled so many principals, and more than it helped, is retired. */
export const HARMFUL_PRINCIPALS = 3;

const MAX_EVIDENCE = 6;

/** Who followed an insight as it was written last, and how that came out: each principal counts once on either side. */
export interface Outcome {
  /** The version at which the insight was written. */
  version: number;
  /** Decisions that it helped, by principal. */
  helpful: Map<string, number>;
  /** Decisions that it misled, by principal. */
  harmful: Map<string, number>;
  /** What those that it misled are labelled by, as `stream#seq`, by call. */
  misled: Map<string, readonly string[]>;
  /** Counted, or taken back, since it was compared with what the store knows. */
  changed: boolean;
}

/** An insight that a decision followed, as it was written then. */
export interface Followed {
  insight: string;
  version: number;
}

/** A labelled decision that followed insights. */
interface Judged {
  lesson: { principal: string; evidence: readonly string[] };
  chosen: string;
  right: string | null;
  followed: readonly Followed[];
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

/** Most dreams leave the document of a store as it was. */
const known = new WeakMap<MemoryDocument, StoredValues>();

/** The choices of a store as it stands. */
export function storedValues({ document, written }: Pick<MemoryState, 'document' | 'written'>): StoredValues {
  const before = known.get(document);
  if (before !== undefined) return before;
  const values = new Map<string, StoredValue>();
  known.set(document, values);
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
 * The insights that a decision followed: those that it was given, and whose value it chose.
 * @param stored what the insights of the store say
 */
export function followedBy(decision: DecisionPoint, { store, stored }: { store: string; stored: StoredValues }): Followed[] {
  return decision.given.flatMap(({ store: from, insight_id: id, version }) => {
    const insight = from === store ? stored.get(id) : undefined;
    if (insight === undefined || insight.tool !== decision.tool || insight.field !== decision.field) return [];
    return insight.value !== decision.chosen || version < insight.version ? [] : [{ insight: id, version: insight.version }];
  });
}

/**
 * Counts a decision for or against the insights that it followed, or takes back that it was counted. What is not labelled
 * counts for nothing. Changes the outcomes in place.
 */
export function countOutcome(outcomes: Outcomes, { lesson, chosen, right, followed }: Judged, by: 1 | -1): void {
  if (right === null) return;
  const { principal, evidence } = lesson;
  for (const { insight, version } of followed) {
    let counted = outcomes.get(insight);
    if (counted === undefined || counted.version < version) {
      counted = { version, helpful: new Map(), harmful: new Map(), misled: new Map(), changed: true };
      outcomes.set(insight, counted);
    }
    // Since then it has been written anew, and counting has begun again.
    if (counted.version > version) continue;
    counted.changed = true;
    const side = counted[right === chosen ? 'helpful' : 'harmful'];
    const decisions = (side.get(principal) ?? 0) + by;
    if (decisions > 0) side.set(principal, decisions);
    else side.delete(principal);
    if (right === chosen) continue;
    if (by === 1) counted.misled.set(evidence[0]!, evidence);
    else counted.misled.delete(evidence[0]!);
  }
}

/** Some decisions that an insight misled, as `stream#seq`. */
export function misledEvidence(outcome: Outcome | undefined): string[] {
  return [...(outcome?.misled.values() ?? [])].slice(0, MAX_EVIDENCE).flat().slice(0, MAX_EVIDENCE);
}

/**
 * How what has been counted since the last time differs from what the store knows, in the order of the ids: less where a
 * label was corrected.
 */
export function newCounts(
  outcomes: Outcomes,
  { counts: known, written }: Pick<MemoryState, 'counts' | 'written'>,
): InsightsCounted['counts'] {
  const counts: InsightsCounted['counts'] = [];
  for (const [insight_id, outcome] of outcomes) {
    if (!outcome.changed) continue;
    outcome.changed = false;
    if (written.get(insight_id) !== outcome.version) continue;
    const before = known.get(insight_id) ?? { helpful: 0, harmful: 0 };
    const [helpful, harmful] = [outcome.helpful.size - before.helpful, outcome.harmful.size - before.harmful];
    if (helpful !== 0 || harmful !== 0) counts.push({ insight_id, helpful, harmful });
  }
  return counts.sort((a, b) => (a.insight_id < b.insight_id ? -1 : 1));
}

export function isHarmful(counts: InsightCounts | undefined): boolean {
  return counts !== undefined && counts.harmful >= HARMFUL_PRINCIPALS && counts.harmful > counts.helpful;
}
