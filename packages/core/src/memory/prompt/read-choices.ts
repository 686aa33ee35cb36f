import { checked } from '@dreamfold/events';
import { z } from 'zod';
import type { ModelRequest } from '../../session/prompt.ts';
import type { RememberedChoice } from './select.ts';

/** As much of a request as is read here. */
const Request = z.object({
  messages: z.custom<ModelRequest['messages']>(
    (messages) =>
      Array.isArray(messages) && (messages.length === 0 || Array.isArray((messages[0] as ModelRequest['messages'][number])?.content)),
    'expected the messages of a request',
  ),
});

/**
 * The choices of the memory in a request, for policies that are written in code: a language model reads the lines itself.
 * They come from the memory block and from no text, so whatever a user, a tool or an agent says is none of them.
 * @returns in the order of the lines, the strongest first
 * @throws DreamfoldError invalid_argument for what is no request
 */
export function readChoices(request: Pick<ModelRequest, 'messages'>): readonly RememberedChoice[] {
  const { messages } = checked(Request, request, { what: 'readChoices()', name: 'request' });
  const block = messages[0]?.content.find(({ type }) => type === 'memory');
  return block?.type === 'memory' ? block.choices : [];
}
