import type { MemoryState } from '@dreamfold/core';
import type { Insight } from '@dreamfold/events';

/** An insight of a store, with how it fared. */
export interface InsightRecord {
  /** The playbook that holds it. */
  path: string;
  insight: Insight;
  /** Version of the store that wrote it as it stands. */
  since: number | null;
  /** Principals whose sessions followed it since then, and how that came out. They describe; they prove nothing. */
  helped: number;
  misled: number;
}

/** The insights of a store, by their playbooks. */
export function insightsOf({ document, counts, written }: MemoryState): InsightRecord[] {
  return Object.entries(document.memories).flatMap(([path, memory]) =>
    memory.kind !== 'playbook'
      ? []
      : Object.values(memory.insights).map((insight) => {
          const { helpful = 0, harmful = 0 } = counts.get(insight.id) ?? {};
          return { path, insight, since: written.get(insight.id) ?? null, helped: helpful, misled: harmful };
        }),
  );
}
