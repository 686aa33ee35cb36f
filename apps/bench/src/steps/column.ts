import type { Scenario, WorkloadSize } from './workload.ts';

export const COLUMNS = ['dreamfold-memory', 'dreamfold-sqlite', 'ai-sdk'] as const;
export type ColumnName = (typeof COLUMNS)[number];

/** One way to do the workload. */
export interface Column {
  /** Does a scenario once, from the user's message to the answer, and checks the answer. */
  run: (scenario: Scenario) => Promise<void>;
  close: () => Promise<void>;
}

/** What a column's process is asked for. All but the first give figures of the scenario `single`. */
export type ColumnRequest =
  | { kind: 'step'; scenario: Scenario; size: WorkloadSize; samples: number; sampleMs: number; warmMs: number }
  | { kind: 'heap'; size: WorkloadSize; runs: number }
  | { kind: 'disk'; size: WorkloadSize; runs: number };

export type ColumnReply = { value: number } | { error: string };
