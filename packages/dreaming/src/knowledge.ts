import { newLearner, teach, type ChoiceLearner, type Lesson } from './choice-learner.ts';
import type { DecisionPoint, Episode } from './episode.ts';
import { countOutcome, followedBy, type Followed, type Outcomes, type StoredValues } from './outcomes.ts';
import { noteError, type Recoveries } from './recoveries.ts';

/** What an episode brought. */
export interface Learnt {
  decisions: number;
  labelled: number;
}

/** The store that outcomes are counted for, and what its insights say. */
interface OutcomesOf {
  store: string;
  stored: StoredValues;
}

/** A labelled decision, kept at the place where it was labelled first. */
interface Taken {
  lesson: Omit<Lesson, 'right'>;
  chosen: string;
  /** null when the label was taken back, and nobody has said another. */
  right: string | null;
  followed: readonly Followed[];
}

/**
 * What the dreams of one store have read, folded: derived from the log, never stored. The same episodes in the same order
 * give it again.
 */
export class Knowledge {
  readonly recoveries: Recoveries = new Map();
  readonly outcomes: Outcomes = new Map();
  /** What it cost: for tests and benchmarks. */
  readonly work = { lessons: 0, updates: 0, visits: 0 };
  /** Errors that have been noted: each counts once, however often its session is read. */
  readonly #errors = new Set<string>();
  readonly #learners = new Map<string, ChoiceLearner>();
  /** For each learner what it was taught, by call and field. */
  readonly #taken = new Map<string, Map<string, Taken>>();
  /** Learners of which a lesson has been corrected since they were taught it. */
  readonly #corrected = new Set<string>();

  /** By tool and field. What has been corrected is unlearnt when this is read, once for all corrections. */
  get learners(): ReadonlyMap<string, ChoiceLearner> {
    for (const key of this.#corrected) this.#relearn(key);
    this.#corrected.clear();
    return this.#learners;
  }

  /** The labelled decisions on a field of a tool, in the order in which they were labelled first. */
  *lessons(tool: string, field: string): Generator<Lesson, void, undefined> {
    for (const { lesson, right } of this.#taken.get(learnerKey(tool, field))?.values() ?? [])
      if (right !== null) yield { ...lesson, right };
  }

  add(episode: Episode, memory: OutcomesOf): Learnt {
    for (const decision of episode.decisions) this.#decided(decision, memory);
    for (const error of episode.errors) {
      if (error.next === null || this.#errors.has(error.evidence)) continue;
      this.#errors.add(error.evidence);
      noteError(this.recoveries, error);
    }
    return { decisions: episode.decisions.length, labelled: episode.decisions.filter(({ right }) => right !== null).length };
  }

  #decided(decision: DecisionPoint, memory: OutcomesOf): void {
    const { tool, field, chosen, right, session, principal, request, options, evidence } = decision;
    const key = learnerKey(tool, field);
    const call = evidence[0]!;
    const before = this.#taken.get(key)?.get(call);
    if (right === (before?.right ?? null)) return;
    const followed = before?.followed ?? followedBy(decision, memory);
    const taken: Taken = { lesson: { session, principal, request, options, evidence }, chosen, right, followed };
    if (before !== undefined) countOutcome(this.outcomes, before, -1);
    countOutcome(this.outcomes, taken, 1);
    const lessons = this.#taken.get(key) ?? new Map<string, Taken>();
    // A key that is there keeps its place.
    this.#taken.set(key, lessons.set(call, taken));
    const learner = this.#learners.get(key) ?? newLearner(tool, field);
    this.#learners.set(key, learner);
    if (before === undefined) this.#teach(learner, taken);
    else this.#corrected.add(key);
  }

  #teach(learner: ChoiceLearner, { lesson, right }: Taken): void {
    if (right === null) return;
    this.work.lessons += 1;
    this.work.updates += teach(learner, { ...lesson, right });
  }

  /** Each lesson has moved the weights that the later ones met, so all are taught again, in their order. */
  #relearn(key: string): void {
    const { tool, field } = this.#learners.get(key)!;
    const learner: ChoiceLearner = { ...newLearner(tool, field), corrected: true };
    for (const taken of this.#taken.get(key)!.values()) this.#teach(learner, taken);
    this.#learners.set(key, learner);
  }
}

export function newKnowledge(): Knowledge {
  return new Knowledge();
}

/** A learner's name in the map. */
export function learnerKey(tool: string, field: string): string {
  return JSON.stringify([tool, field]);
}

/**
 * Folds an episode into what is known. What was learnt from before is passed over; a decision that has only now been
 * labelled counts now; one whose label has changed counts as it is labelled now, in the place where it was labelled first,
 * as if it had never been labelled otherwise. Changes the knowledge in place.
 */
export function learn(knowledge: Knowledge, episode: Episode, memory: OutcomesOf): Learnt {
  return knowledge.add(episode, memory);
}
