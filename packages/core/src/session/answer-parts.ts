import { isPlainText, type AnyThinking, type ContentBlock } from '@dreamfold/events';

/** Confidence and reason of one decision, given by the model beside it or in the call's `decision` field. */
export interface Decision {
  confidence?: number;
  reason?: string;
}

export interface CallBlock {
  type: 'tool_use';
  name: string;
  input: unknown;
  decision?: Decision;
}

/** A block of what a model answered. A text may be decided on, as a call may. */
export type AnswerBlock = (ContentBlock & { decision?: Decision }) | CallBlock;

/** A part of an answer: each becomes an event. */
export type AnswerPart =
  | { kind: 'thinking'; content: AnyThinking[] }
  | { kind: 'said'; content: ContentBlock[]; decision: Decision | undefined }
  | { kind: 'call'; call: CallBlock };

/**
 * An answer in parts, in its order. Plain texts are a part each; text with citations, and whatever else stands beside it, is one part
 * until the next thought or call. A thought that nothing follows is left out: services take no message that ends with one.
 */
export function answerParts(content: readonly AnswerBlock[]): AnswerPart[] {
  const parts: AnswerPart[] = [];
  let said: Exclude<AnswerBlock, CallBlock>[] = [];
  const close = (): void => {
    parts.push(...saidParts(said));
    said = [];
  };
  for (const block of content) {
    if (block.type === 'tool_use') {
      close();
      parts.push({ kind: 'call', call: block });
    } else if (block.type === 'thinking' || block.type === 'redacted_thinking') {
      close();
      const before = parts.at(-1);
      if (before?.kind === 'thinking') before.content.push(block);
      else parts.push({ kind: 'thinking', content: [block] });
    } else if (block.type !== 'text' || block.text !== '') said.push(block);
  }
  close();
  while (parts.at(-1)?.kind === 'thinking') parts.pop();
  return parts;
}

function saidParts(blocks: readonly Exclude<AnswerBlock, CallBlock>[]): AnswerPart[] {
  if (blocks.length === 0) return [];
  const parts = blocks.map(({ decision, ...block }) => ({ kind: 'said' as const, content: [block], decision }));
  const content = parts.flatMap((part) => part.content);
  if (isPlainText(content)) return parts;
  return [{ kind: 'said', content, decision: parts.find(({ decision }) => decision !== undefined)?.decision }];
}

/** What an answer that was cut off said all the same: a call that has no result may be cut off itself. */
export function withoutCalls(content: readonly AnswerBlock[]): AnswerBlock[] {
  const answered = new Set(content.flatMap((block) => ('tool_use_id' in block ? [block['tool_use_id']] : [])));
  return content.filter((block) => {
    if (block.type === 'tool_use') return false;
    return (block.type !== 'server_tool_use' && block.type !== 'mcp_tool_use') || answered.has(block.id);
  });
}
