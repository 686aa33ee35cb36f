import { renderInsight, type InsightCounts } from '@dreamfold/core';
import type { ChoiceInsight, Cue, Finding, GateVerdict, GuardReport, Insight } from '@dreamfold/events';
import type { Lesson } from '../learn/choice-learner.ts';
import { learntEvidence, learntReason, type Heard } from '../learn/learnt-reason.ts';
import { leastSupport, type Witness } from '../learn/quorum.ts';
import { textPlace } from './words/text-place.ts';
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

export const NO_FAULTS: EvidenceFaults = { missing: [], unlabelled: [], stray: [] };

/** A cue that a gate took out of an insight. */
export interface DroppedCue {
  gate: string;
  /** As it may be shown. */
  phrase: string;
  reason: string;
}

/** Why something can be no change of the store, and the code of the error. */
export interface Misfit {
  /** The gate that stops it; default `shape`. */
  gate?: 'secrets' | 'shape';
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
  /** Of a choice that is learnt. */
  heard?: Heard;
  /**
   * The values that the tool named in the sessions that bear it out; left out for what is learnt, since only such values
   * are learnt from.
   */
  offered?: readonly string[];
  /** Cues that gates have taken out of it already. */
  dropped?: readonly DroppedCue[];
  /** Set when it is malformed or may not be recorded, or when there is no place for it. */
  misfit?: Misfit | null;
}

/** What the gates judge by. */
export interface GateContext {
  constitution: Constitution;
  /** What is in the store, and what this dream has let through already. */
  known: readonly Insight[];
  /** True for what the learner found: it weighs its cues against each other. */
  isLearnt: (insight: Insight) => boolean;
  /** The labelled decisions that the dreams of the store have read. */
  lessons: (tool: string, field: string) => Iterable<Lesson>;
  counts: ReadonlyMap<string, InsightCounts>;
  /** The points by which the store speaks for a value already where a cue is said; 0 when it does not. */
  toldPoints: (choice: ChoiceInsight, phrase: string) => number;
  /** What users and tools said in the sessions that were reviewed or are cited. */
  untrusted: readonly string[];
  /** What the guard says of the field that something is learnt of; null where it has not looked. */
  guarded: (about: { tool: string; field: string }) => GuardReport | null;
}

/** Why a candidate passes, or why it fails. */
export type Verdict = Omit<GateVerdict, 'gate'>;
export type Gate = (candidate: Candidate, context: GateContext) => Verdict;

export const pass = (reason: string): Verdict => ({ pass: true, reason });
export const fail = (reason: string, code?: string): Verdict => ({ pass: false, reason, ...(code === undefined ? {} : { code }) });

/** Names that are chosen from a schema. */
export function namesOf(finding: Finding): string[] {
  switch (finding.kind) {
    case 'note':
      return [];
    case 'choice':
      return [finding.tool, finding.field, finding.value];
    case 'base_rate':
      return [finding.tool, finding.field, ...finding.values.map(({ value }) => value)];
    case 'recovery':
      return [finding.tool, finding.next];
  }
}

/** Words that somebody has said or written. */
export function wordsOf({ finding, claim }: Pick<Candidate, 'finding' | 'claim'>): string[] {
  const written = writtenIn(finding);
  return claim === '' ? written : [...written, claim];
}

function writtenIn(finding: Finding): string[] {
  switch (finding.kind) {
    case 'note':
      return [finding.path, finding.content];
    case 'choice':
      return finding.cues.map(({ phrase }) => phrase);
    case 'recovery':
      return [finding.signature];
    case 'base_rate':
      return [];
  }
}

/** Everything of a candidate that is stored, told to agents or shown to reviewers, and that somebody could have written. */
export function textsOf(candidate: Pick<Candidate, 'finding' | 'claim'>): string[] {
  return [...namesOf(candidate.finding), ...wordsOf(candidate)];
}

/** Where in a note something stands, for a reader who has to find it; '' for other texts, which are short. */
export function placeInNote({ finding }: Candidate, text: string, index: number): string {
  return finding.kind === 'note' && text === finding.content ? ` in ${textPlace(text, index)}` : '';
}

/** A finding as the agents read it. */
export function textOf(finding: Finding): string {
  return finding.kind === 'note' ? finding.content : renderInsight(finding);
}

/** A choice with some of its cues, as if it had never had others. There must be some left. */
export function withCues(candidate: Candidate, keep: (cue: Cue) => boolean): Candidate {
  if (candidate.finding.kind !== 'choice') return candidate;
  const cues = candidate.finding.cues.filter(keep);
  const finding = { ...candidate.finding, cues, support: leastSupport(cues) };
  const phrases = new Set(cues.map(({ phrase }) => phrase));
  const witnesses = new Map([...candidate.witnesses].filter(([phrase]) => phrases.has(phrase)));
  const learnt =
    candidate.origin === 'learnt' ? { reason: learntReason(finding, candidate.heard), evidence: learntEvidence(witnesses) } : {};
  return { ...candidate, finding, witnesses, ...learnt };
}
