import { DreamfoldError, kindOfBlock, type BlockKind } from '@dreamfold/events';
import type { Model, ModelRequest, RequestBlock, RequestMessage } from './port.ts';

const TEXT: readonly BlockKind[] = ['text'];

/**
 * That a model takes each of some blocks.
 * @param at who has the model (`The agent lead`), and the path of the blocks (`message`, `messages/3/content`)
 * @throws DreamfoldError content_unsupported, with the block's path
 */
export function checkTakes(
  { takes = TEXT }: Pick<Model, 'takes'>,
  blocks: readonly RequestBlock[],
  at: { who: string; path: string },
): void {
  const { who, path } = at;
  for (const [i, block] of blocks.entries()) {
    if (block.type === 'memory' || block.type === 'tool_use') continue;
    if (block.type === 'tool_result') {
      checkTakes({ takes }, block.blocks ?? [], { who, path: `${path}/${i}/content` });
      continue;
    }
    const kind = kindOfBlock(block);
    if (kind === 'thinking' || takes.includes(kind)) continue;
    const type = block.type === 'unknown' ? block.block_type.slice(0, 40).toWellFormed() : block.type;
    const taken = takes.join(', ');
    throw new DreamfoldError('content_unsupported', `${who} has a model that does not take a block of type ${type}; it takes ${taken}`, {
      path: `${path}/${i}`,
      value: type,
      remedy: 'Give the agent a model that takes it, or say it in text. A model of your own names what it takes in `takes`.',
    });
  }
}

/**
 * The request as a model takes it: without the thinking of another.
 * @throws DreamfoldError content_unsupported
 */
export function requestTaken(model: Pick<Model, 'takes'>, request: ModelRequest, who: string): ModelRequest {
  for (const [i, { content }] of request.messages.entries()) checkTakes(model, content, { who, path: `messages/${i}/content` });
  if (model.takes?.includes('thinking') === true) return request;
  return { ...request, messages: request.messages.map(withoutThinking) };
}

function withoutThinking(message: RequestMessage): RequestMessage {
  return message.content.some(isThinking) ? { ...message, content: message.content.filter((block) => !isThinking(block)) } : message;
}

function isThinking(block: RequestBlock): boolean {
  return block.type === 'thinking' || block.type === 'redacted_thinking';
}
