import { newLearner, teach, type ChoiceLearner } from './choice-learner.ts';
import type { DecisionPoint, Episode } from './episode.ts';
import { countOutcome, type Outcomes, type StoredValues } from './outcomes.ts';
import { noteError, type Recoveries } from './recoveries.ts';

/**
 * What the dreams of one store have read, folded: derived from the log, never stored. The same episodes in the same order
 * give it again.
 */
export interface Knowledge {
  /** By tool and field. */
  readonly learners: Map<string, ChoiceLearner>;
  readonly recoveries: Recoveries;
  readonly outcomes: Outcomes;
  /** Decisions and errors that have been learnt from: each counts once, however often its session is read. */
  readonly taken: Set<string>;
  /** What it cost: for tests and benchmarks. */
  readonly work: { lessons: number; updates: number; visits: number };
}

/** What an episode brought. */
export interface Learnt {
  decisions: number;
  labelled: number;
}

export function newKnowledge(): Knowledge {
  return {
    learners: new Map(),
    recoveries: new Map(),
    outcomes: new Map(),
    taken: new Set(),
    work: { lessons: 0, updates: 0, visits: 0 },
  };
}

/** A learner's name in the map. */
export function learnerKey(tool: string, field: string): string {
  return JSON.stringify([tool, field]);
}

/**
 * Folds an episode into what is known. What was learnt from before is passed over; a decision that has only now been
 * labelled counts now. Changes the knowledge in place.
 * @param memory the store that outcomes are counted for, and what its insights said
 */
export function learn(knowledge: Knowledge, episode: Episode, memory: { store: string; stored: StoredValues }): Learnt {
  for (const decision of episode.decisions) if (decision.right !== null) learnChoice(knowledge, decision, memory);
  for (const error of episode.errors) {
    if (error.next === null || knowledge.taken.has(error.evidence)) continue;
    knowledge.taken.add(error.evidence);
    noteError(knowledge.recoveries, error);
  }
  return { decisions: episode.decisions.length, labelled: episode.decisions.filter(({ right }) => right !== null).length };
}

function learnChoice(knowledge: Knowledge, decision: DecisionPoint, memory: { store: string; stored: StoredValues }): void {
  const { tool, field, session, principal, request, options, evidence } = decision;
  const taken = `${evidence[0]!} ${field}`;
  if (knowledge.taken.has(taken)) return;
  knowledge.taken.add(taken);
  const key = learnerKey(tool, field);
  const learner = knowledge.learners.get(key) ?? newLearner(tool, field);
  knowledge.learners.set(key, learner);
  knowledge.work.lessons += 1;
  knowledge.work.updates += teach(learner, { session, principal, request, options, right: decision.right!, evidence });
  countOutcome(knowledge.outcomes, decision, memory);
}
