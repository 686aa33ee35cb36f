import type { InsightCounts } from '@dreamfold/core';
import type { ChoiceInsight, Finding, GateVerdict, Insight } from '@dreamfold/events';
import type { ChoiceLearner } from '../choice-learner.ts';
import type { Witness } from '../quorum.ts';
import type { Constitution } from './constitution.ts';

/** Evidence that somebody cites and that does not hold. */
export interface EvidenceFaults {
  /** No such event. */
  missing: readonly string[];
  /** An event that nobody has labelled. */
  unlabelled: readonly string[];
  /** A labelled decision that says something else. */
  stray: readonly string[];
}

/** Why something can be no change of the store, and the code of the error. */
export interface Misfit {
  reason: string;
  code: string;
}

/** What a dream may write, on its way through the gates. */
export interface Candidate {
  finding: Finding;
  /** `learnt` by this dream itself, or `suggested` by somebody: a model, a person, a directive. */
  origin: 'learnt' | 'suggested';
  reason: string;
  /** What a suggestion says for itself; '' when nothing. */
  claim: string;
  evidence: readonly string[];
  faults: EvidenceFaults;
  /** For each cue, or for '' where there are none: the labelled decisions among the evidence that bear it out. */
  witnesses: ReadonlyMap<string, readonly Witness[]>;
  /** Insights of the store that tell another value for one of its cues, or that it takes away because labels contradict them. */
  turns: readonly string[];
  /** Set when it is malformed, or when there is no place for it. */
  misfit?: Misfit | null;
  /** As the agents will read it. */
  text: string;
}

/** What the gates judge by. */
export interface GateContext {
  constitution: Constitution;
  /** What is in the store, and what this dream has let through already. */
  known: readonly Insight[];
  /** True for what the learner found: it weighs its cues against each other. */
  isLearnt: (insight: Insight) => boolean;
  learner: (tool: string, field: string) => ChoiceLearner | undefined;
  counts: ReadonlyMap<string, InsightCounts>;
  /** The points by which the store speaks for a value already where a cue is said; 0 when it does not. */
  toldPoints: (choice: ChoiceInsight, phrase: string) => number;
  /** What users and tools said in the sessions that were reviewed or are cited. */
  untrusted: readonly string[];
}

/** Why a candidate passes, or why it fails. */
export type Verdict = Omit<GateVerdict, 'gate'>;
export type Gate = (candidate: Candidate, context: GateContext) => Verdict;

export const pass = (reason: string): Verdict => ({ pass: true, reason });
export const fail = (reason: string, code?: string): Verdict => ({ pass: false, reason, ...(code === undefined ? {} : { code }) });

/** Everything of a candidate that somebody could have written. */
export function textsOf({ finding, claim }: Candidate): string[] {
  const written =
    finding.kind === 'note'
      ? [finding.path, finding.content]
      : finding.kind === 'choice'
        ? finding.cues.map(({ phrase }) => phrase)
        : [finding.signature];
  return claim === '' ? written : [...written, claim];
}
