import type { ModelRequest } from '../session/prompt.ts';
import type { RememberedChoice } from './select.ts';

/**
 * The choices of the memory in a request, for policies that are written in code: a language model reads the lines itself.
 * They come from the memory block and from no text, so whatever a user, a tool or an agent says is none of them.
 * @returns in the order of the lines, the strongest first
 */
export function readChoices({ messages }: Pick<ModelRequest, 'messages'>): readonly RememberedChoice[] {
  const block = messages[0]?.content.find(({ type }) => type === 'memory');
  return block?.type === 'memory' ? block.choices : [];
}
