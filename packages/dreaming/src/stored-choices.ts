import { canonicalJson, escapeToken, type MemoryDocument, type Sha256 } from '@dreamfold/core';
import { DreamfoldError, idFrom, type ChoiceInsight, type PatchOperation } from '@dreamfold/events';

/** Where dreams put the choices that they find. */
export const CHOICE_PLAYBOOK = '/playbooks/choices.md';
const TITLE = 'Choices that feedback has shown to be right';
export interface StoredChoice {
  /** Path of the playbook that it stands in. */
  path: string;
  insight: ChoiceInsight;
}

/** All choices of a document, in the order of playbook and id. */
export function storedChoices(document: MemoryDocument): StoredChoice[] {
  return Object.entries(document.memories)
    .flatMap(([path, memory]) => (memory.kind === 'playbook' ? Object.values(memory.insights).map((insight) => ({ path, insight })) : []))
    .sort((a, b) => (a.path + a.insight.id < b.path + b.insight.id ? -1 : 1));
}

/** An insight with the id that follows from what it says: the same finding always has the same id. */
export function withId(insight: Omit<ChoiceInsight, 'id'>, sha256: Sha256): ChoiceInsight {
  const { kind, tool, field, value, cues } = insight;
  return { ...insight, id: idFrom('insight', sha256(canonicalJson({ kind, tool, field, value, cues }))) };
}

/** What creates the playbook, when it is missing. */
export function playbookOperations(document: MemoryDocument): PatchOperation[] {
  const memory = document.memories[CHOICE_PLAYBOOK];
  if (memory === undefined) {
    return [{ op: 'add', path: `/memories/${escapeToken(CHOICE_PLAYBOOK)}`, value: { kind: 'playbook', title: TITLE, insights: {} } }];
  }
  if (memory.kind === 'playbook') return [];
  throw new DreamfoldError('path_conflict', `${CHOICE_PLAYBOOK} is a note; dreams keep their choices in a playbook of that name`, {
    path: CHOICE_PLAYBOOK,
    remedy: 'Move the note to another path.',
  });
}

/** Removes a stored choice, and puts another in its place unless that is null. */
export function replaceChoice({ path, insight }: StoredChoice, by: ChoiceInsight | null): PatchOperation[] {
  return [
    { op: 'test', path: pointerTo(path, insight.id), value: insight },
    { op: 'remove', path: pointerTo(path, insight.id) },
    ...(by === null ? [] : addChoice(path, by)),
  ];
}

export function addChoice(path: string, insight: ChoiceInsight): PatchOperation[] {
  return [{ op: 'add', path: pointerTo(path, insight.id), value: insight }];
}

function pointerTo(path: string, id: string): string {
  return `/memories/${escapeToken(path)}/insights/${escapeToken(id)}`;
}
