import type { MemoryDocument, Sha256 } from '@dreamfold/core';
import type { ChoiceInsight, DreamReviewed, GateVerdict, PatchOperation } from '@dreamfold/events';
import { proposeChoices, type ChoiceProposal } from './choice.ts';
import type { Episode } from './episodes.ts';
import { contradicts, judge, type Candidate } from './gates.ts';
import { isLabelled, questionKey, questionsOf, saysOneOf, tallyOf, type Question } from './questions.ts';
import {
  CHOICE_PLAYBOOK,
  addChoice,
  playbookOperations,
  replaceChoice,
  storedChoices,
  withId,
  type StoredChoice,
} from './stored-choices.ts';

export interface DreamInput {
  episodes: readonly Episode[];
  /** The store as it stands. */
  document: MemoryDocument;
  /** Plain phrases that the operator allows in no memory. */
  rules: readonly string[];
  /** Choices that somebody else proposes: a model, a person, a directive. They pass the same gates. */
  suggestions: readonly ChoiceProposal[];
}

/** An insight with what the gates said of it. */
export interface JudgedInsight {
  insight: ChoiceInsight;
  reason: string;
  evidence: string[];
  gates: GateVerdict[];
  /** What puts it into the store; empty when a gate stopped it. */
  operations: PatchOperation[];
}

export interface DreamDecision {
  reviewed: DreamReviewed;
  /**
   * What has to be written before any of the operations below: the playbook, when it is missing. It holds nothing that
   * a dream has learnt, so it needs no review, and each insight can be approved without the others.
   */
  playbook: PatchOperation[];
  /** Nothing at all is a valid dream. */
  insights: JudgedInsight[];
}

/**
 * The whole dream, without a model: reviews, proposes, judges, and says what would change in the store.
 * The same input gives the same output, whatever the order of the episodes; what the store knows already is not
 * proposed again.
 * @throws DreamfoldError path_conflict when a note stands where the playbook belongs
 */
export function decideDream(input: DreamInput, { sha256 }: { sha256: Sha256 }): DreamDecision {
  const questions = questionsOf(input.episodes);
  const stored = storedChoices(input.document);
  const known = stored.map(({ insight }) => insight);
  const candidate = (proposal: ChoiceProposal): Candidate => candidateOf(proposal, questions, sha256);
  const found = [...questions.values()].flatMap((question) =>
    proposeChoices(question, (value, cue) =>
      known.some((k) => k.tool === question.tool && k.field === question.field && k.value === value && k.cues.includes(cue)),
    ),
  );
  const insights: JudgedInsight[] = [];
  for (const { insight, reason, evidence } of [...found, ...input.suggestions].map(candidate)) {
    const passed = insights.filter(({ operations }) => operations.length > 0).map((judged) => judged.insight);
    const gates = judge({ insight, reason, evidence }, { questions, known: [...known, ...passed], rules: input.rules });
    const accepted = gates.every((gate) => gate.pass);
    const operations = accepted ? operationsFor(insight, stored, sha256) : [];
    insights.push({ insight, reason, evidence: [...evidence], gates, operations });
  }
  const accepted = insights.some(({ operations }) => operations.length > 0);
  return { reviewed: reviewedOf(input.episodes), playbook: accepted ? playbookOperations(input.document) : [], insights };
}

function candidateOf(proposal: ChoiceProposal, questions: ReadonlyMap<string, Question>, sha256: Sha256): Candidate {
  const { tool, field, value, reason, evidence } = proposal;
  const cues = proposal.cues.toSorted();
  const decisions = questions.get(questionKey(tool, field))?.decisions ?? [];
  const { sessions, principals } = tallyOf(
    decisions.filter((decision) => saysOneOf(decision, cues)),
    value,
  );
  return { insight: withId({ kind: 'choice', tool, field, value, cues, support: { sessions, principals } }, sha256), reason, evidence };
}

/** Adds the insight, and takes its cues from what contradicts it and is supported less. */
function operationsFor(insight: ChoiceInsight, stored: readonly StoredChoice[], sha256: Sha256): PatchOperation[] {
  const retire = stored
    .filter((rival) => contradicts(rival.insight, insight))
    .flatMap((rival) => {
      const cues = rival.insight.cues.filter((cue) => !insight.cues.includes(cue));
      return replaceChoice(rival, cues.length === 0 ? null : withId({ ...rival.insight, cues }, sha256));
    });
  return [...retire, ...addChoice(CHOICE_PLAYBOOK, insight)];
}

function reviewedOf(episodes: readonly Episode[]): DreamReviewed {
  const decisions = episodes.flatMap((episode) => episode.decisions);
  return { sessions: episodes.length, decisions: decisions.length, labelled: decisions.filter(isLabelled).length };
}
