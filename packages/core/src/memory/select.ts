import type { GivenInsight } from '@dreamfold/events';
import type { MemoryDocument } from './document.ts';
import { renderMemoryForPrompt } from './render.ts';

/** A store as one session sees it: the document at the version that it pinned. */
export interface PinnedMemory {
  store: string;
  version: number;
  document: MemoryDocument;
}

/** Memory in one prompt, at most, all stores together. */
export const PROMPT_MEMORY_BYTES = 8192;

export interface SelectedMemory {
  /** As it stands in the prompt, '' when there is nothing to say. */
  text: string;
  /** The insights in the text. */
  insights: GivenInsight[];
}

/**
 * What of a session's memory a thread is given for its task.
 * The same pins and task always give the same text.
 */
export function selectMemory(pinned: readonly PinnedMemory[], _task: string, maxBytes: number = PROMPT_MEMORY_BYTES): SelectedMemory {
  const texts: string[] = [];
  const insights: GivenInsight[] = [];
  for (const { store, version, document } of pinned) {
    const text = renderMemoryForPrompt(document, { store, version, maxBytes });
    if (text === '') continue;
    texts.push(text);
    for (const memory of Object.values(document.memories)) {
      if (memory.kind === 'playbook') insights.push(...Object.keys(memory.insights).map((insight_id) => ({ store, insight_id })));
    }
  }
  return { text: texts.join('\n'), insights };
}
