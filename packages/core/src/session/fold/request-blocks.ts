import { isPlainText, kindOfBlock, text, textOf, type BlockKind, type Content, type ContentBlock } from '@dreamfold/events';
import type { RequestBlock } from '../prompt.ts';
import type { Thread } from './state.ts';

/** What a call gave: its text and, where it is more than text, all of it. */
export interface CallResult {
  content: string;
  blocks?: readonly ContentBlock[];
  isError: boolean;
}

/** Content as it stands in a request. Plain text is one block; what else there is stays as it came. */
export function requestBlocks(content: Content): readonly ContentBlock[] {
  return isPlainText(content) ? text(textOf(content)) : content.map(forModel);
}

/** The whole of a text that was cut is for people. */
function forModel(block: ContentBlock): ContentBlock {
  if (block.type !== 'text' || block.df_blob === undefined) return block;
  const { df_blob: _, ...shown } = block;
  return shown;
}

/** The result of a call as the model is shown it: its text, and its blocks where it is more than text. */
export function callResult(content: Content, isError = false): CallResult {
  return { content: textOf(content), isError, ...(isPlainText(content) ? {} : { blocks: content.map(forModel) }) };
}

/** The thread with blocks for its next user message. */
export function addPending(thread: Thread, blocks: readonly RequestBlock[]): Thread {
  return { ...thread, pending: [...thread.pending, ...blocks], holds: holding(thread, blocks) };
}

/** The thread with blocks of the answer that is being recorded. */
export function addDraft(thread: Thread, blocks: readonly RequestBlock[]): Thread {
  return { ...thread, draft: [...thread.draft, ...blocks], holds: holding(thread, blocks) };
}

/** What a thread's messages hold besides text, once these are among them. */
function holding({ holds }: Thread, blocks: readonly RequestBlock[]): readonly BlockKind[] {
  let all = holds;
  for (const block of blocks) for (const kind of kindsIn(block)) if (!all.includes(kind)) all = [...all, kind];
  return all;
}

const NONE: readonly BlockKind[] = [];

function kindsIn(block: RequestBlock): readonly BlockKind[] {
  switch (block.type) {
    case 'memory':
    case 'text':
    case 'tool_use':
      return NONE;
    case 'tool_result':
      return block.blocks?.flatMap(kindsIn) ?? NONE;
    default:
      return [kindOfBlock(block)];
  }
}
