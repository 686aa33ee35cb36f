import { proposedText } from '@dreamfold/core';
import { DreamfoldError, type Dreamfold, type EditedProposal, type Constitution } from 'dreamfold';
import { editText } from './edit-text.ts';
import type { Io } from '../io.ts';
import { patchLines } from '../render/patch-lines.ts';
import type { Proposal } from '../session/proposals.ts';
import { readText } from './read-text.ts';

const MAX_BYTES = 102_400;

export interface Wording {
  by: string;
  constitution: Constitution;
  note?: string;
  /** A file, or `-`. Left out: the person's editor. */
  text?: string;
  apply: boolean;
}

/**
 * Rewords a proposal, from a file or in an editor.
 * @returns null when nothing was changed
 * @throws DreamfoldError invalid_argument when there is no text to edit, or nobody to do it; and those of editProposal
 */
export async function editProposal(
  dreamfold: Dreamfold,
  proposal: Proposal,
  wording: Wording & { io: Io },
): Promise<EditedProposal | null> {
  const { io, text: file, ...rest } = wording;
  const { operations } = proposal.record.proposal;
  const before = proposedText(operations);
  if (before === null) throw noText(proposal);
  const text = file === undefined ? await atTheEditor(before, proposal, io) : await readText(file, { maxBytes: MAX_BYTES });
  return dreamfold.editProposal(proposal.store.id, proposal.id, { ...rest, text });
}

function atTheEditor(before: string, { id, record }: Proposal, io: Io): Promise<string> {
  if (!io.interactive) {
    throw new DreamfoldError('invalid_argument', 'There is no terminal to edit on', {
      path: '--text',
      remedy: `Give the new text with --text FILE, or - for standard input; \`dreamfold review show ${id} --json\` has the present one as "text".`,
    });
  }
  const about = [
    `Edit the proposal ${id}, then save and leave. Unchanged, it stays as it is.`,
    `Why it was proposed: ${record.proposal.reason.replaceAll('\n', ' ')}`,
  ];
  return editText(before, { about, maxBytes: MAX_BYTES, name: 'proposal.md' });
}

function noText({ id, record }: Proposal): DreamfoldError {
  return new DreamfoldError(
    'invalid_argument',
    `${id} writes no text that could be edited: ${patchLines(record.proposal.operations).join('; ')}`,
    {
      path: 'patch',
      value: id,
      remedy: 'Approve or reject it as it stands.',
    },
  );
}
