import { isTrustedLabeller, type Uncounted } from '@dreamfold/events';
import { newLearner, teach, type ChoiceLearner, type LabelledBy, type Lesson } from './choice-learner.ts';
import type { DecisionPoint, Episode } from '../episodes/episode.ts';
import { countOutcome, followedBy, type Followed, type Outcomes, type StoredValues } from './outcomes.ts';
import { growthOf, isDue } from './propose-choices.ts';
import { noteError, type Recoveries } from './recoveries.ts';

/** What an episode brought. */
export interface Learnt {
  decisions: number;
  labelled: number;
  /** Lessons and feedback that did not count, by why; what was read before is not counted again. */
  uncounted: ReadonlyMap<Uncounted['reason'], number>;
}

/** The store that outcomes are counted for, and what its insights say. */
interface OutcomesOf {
  store: string;
  stored: StoredValues;
}

/** A labelled decision, kept at the place where it was labelled first. */
interface Taken {
  lesson: Omit<Lesson, 'right'>;
  by: LabelledBy;
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
  readonly work = { lessons: 0, words: 0, fitted: 0 };
  /** Errors that have been noted: each counts once, however often its session is read. */
  readonly #errors = new Set<string>();
  /** Of them, those that came since recoveries were proposed. */
  newErrors = 0;
  /** Feedback that did not count, as `stream#seq`: each is told once. */
  readonly #uncounted = new Set<string>();
  readonly #learners = new Map<string, ChoiceLearner>();
  /** For each tool and field what was labelled, by call. */
  readonly #taken = new Map<string, Map<string, Taken>>();
  /** Learners of which a lesson has been corrected since they were taught it. */
  readonly #corrected = new Set<string>();

  /** By tool, field and whose labels they are. What has been corrected is unlearnt when this is read, once for all corrections. */
  get learners(): ReadonlyMap<string, ChoiceLearner> {
    for (const key of this.#corrected) this.#relearn(key);
    this.#corrected.clear();
    return this.#learners;
  }

  /** How many labelled decisions there are, and how many pay for the next look at all of them. */
  get growth(): { now: number; dueAt: number } {
    return growthOf([...this.learners.values()]);
  }

  /** True when choices are due (see {@link isDue}), or when errors have grown by a tenth since recoveries were proposed. */
  get isDue(): boolean {
    return (this.newErrors > 0 && this.newErrors * 10 >= this.#errors.size) || isDue([...this.learners.values()]);
  }

  /**
   * The labelled decisions on a field of a tool, in the order in which they were labelled first. What customers say of their own
   * sessions is heard only where nobody else has said anything.
   */
  lessons(tool: string, field: string): Lesson[] {
    const taken = [...(this.#taken.get(takenKey(tool, field))?.values() ?? [])].filter(({ right }) => right !== null);
    const trusted = taken.filter(({ by }) => by === 'trusted');
    return (trusted.length > 0 ? trusted : taken).map(({ lesson, right }) => ({ ...lesson, right: right! }));
  }

  add(episode: Episode, memory: OutcomesOf): Learnt {
    const uncounted = new Map<Uncounted['reason'], number>();
    const note = (reason: Uncounted['reason']): unknown => uncounted.set(reason, (uncounted.get(reason) ?? 0) + 1);
    for (const { reason, ref } of episode.uncounted) {
      if (!this.#uncounted.has(ref)) note(reason);
      this.#uncounted.add(ref);
    }
    for (const decision of episode.decisions) {
      const reason = this.#decided(decision, memory);
      if (reason !== null) note(reason);
    }
    for (const error of episode.errors) {
      if (error.next === null || this.#errors.has(error.evidence)) continue;
      this.#errors.add(error.evidence);
      this.newErrors += 1;
      noteError(this.recoveries, error);
    }
    const labelled = episode.decisions.filter(({ right }) => right !== null).length;
    return { decisions: episode.decisions.length, labelled, uncounted };
  }

  /** @returns why it is no lesson like others; null when it is one, or was taken in before */
  #decided(decision: DecisionPoint, memory: OutcomesOf): Uncounted['reason'] | null {
    const { tool, field, chosen, right, session, principal, authenticated, labeller, request, options, evidence, given } = decision;
    const key = takenKey(tool, field);
    const call = evidence[0]!;
    const before = this.#taken.get(key)?.get(call);
    const by: LabelledBy = labeller === null || isTrustedLabeller(labeller) ? 'trusted' : 'customers';
    if (right === (before?.right ?? null) && (right === null || by === before?.by)) return null;
    const followed = before?.followed ?? followedBy(decision, memory);
    // Of a label that was taken back the lesson is never taught, so nobody reads who gave it.
    const without = given.length === 0 ? chosen : null;
    const lesson = { session, principal, authenticated, labeller: labeller ?? 'person', request, options, without, evidence };
    const taken: Taken = { lesson, by, chosen, right, followed };
    if (before !== undefined) this.#count(before, -1);
    this.#count(taken, 1);
    const lessons = this.#taken.get(key) ?? new Map<string, Taken>();
    // A key that is there keeps its place.
    this.#taken.set(key, lessons.set(call, taken));
    if (before === undefined) {
      const isNew = this.#teach(this.#learnerOf({ tool, field, by }), taken);
      return uncountedReason(taken, isNew);
    }
    for (const one of new Set([before.by, by])) {
      this.#learnerOf({ tool, field, by: one });
      this.#corrected.add(learnerKey(tool, field, one));
    }
    return right === null ? null : uncountedReason(taken, true);
  }

  /** What customers say of their own sessions neither retires nor keeps an insight. */
  #count(taken: Taken, by: 1 | -1): void {
    if (taken.by === 'trusted') countOutcome(this.outcomes, taken, by);
  }

  #learnerOf({ tool, field, by }: Pick<ChoiceLearner, 'tool' | 'field' | 'by'>): ChoiceLearner {
    const key = learnerKey(tool, field, by);
    const learner = this.#learners.get(key) ?? newLearner(tool, field, by);
    this.#learners.set(key, learner);
    return learner;
  }

  /** @returns whether it taught anything that its principal had not taught before */
  #teach(learner: ChoiceLearner, { lesson, right }: Taken): boolean {
    if (right === null) return false;
    this.work.lessons += 1;
    const { words, isNew } = teach(learner, { ...lesson, right });
    this.work.words += words;
    return isNew;
  }

  /** What a lesson has added to can't be told from what others have, so all are taught again, in their order. */
  #relearn(key: string): void {
    const { tool, field, by } = this.#learners.get(key)!;
    const learner: ChoiceLearner = { ...newLearner(tool, field, by), corrected: true };
    for (const taken of this.#taken.get(takenKey(tool, field))!.values()) if (taken.by === by) this.#teach(learner, taken);
    this.#learners.set(key, learner);
  }
}

function uncountedReason({ by, lesson }: Taken, isNew: boolean): Uncounted['reason'] | null {
  if (by === 'customers') return 'customer_label';
  if (!lesson.authenticated) return 'claimed_principal';
  return isNew ? null : 'duplicate';
}

export function newKnowledge(): Knowledge {
  return new Knowledge();
}

function takenKey(tool: string, field: string): string {
  return JSON.stringify([tool, field]);
}

/** A learner's name in the map. */
export function learnerKey(tool: string, field: string, by: LabelledBy = 'trusted'): string {
  return JSON.stringify([tool, field, by]);
}

/**
 * Folds an episode into what is known. What was learnt from before is passed over; a decision that has only now been
 * labelled counts now; one whose label has changed counts as it is labelled now, in the place where it was labelled first,
 * as if it had never been labelled otherwise. Changes the knowledge in place.
 */
export function learn(knowledge: Knowledge, episode: Episode, memory: OutcomesOf): Learnt {
  return knowledge.add(episode, memory);
}
