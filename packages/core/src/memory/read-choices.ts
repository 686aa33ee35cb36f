import { checked } from '@dreamfold/events';
import { z } from 'zod';
import type { ModelRequest } from '../session/prompt.ts';

/** A choice as a prompt tells it: each cue that the request says gives its points to the value. */
export interface RememberedChoice {
  field: string;
  value: string;
  cues: readonly { phrase: string; points: number }[];
}

const NAME = String.raw`[\w.-]+|"(?:[^"\\]|\\.)*"`;
const CUE = String.raw`("(?:[^"\\]|\\.)*") \(\+(\d+)\)`;
const CHOICE = new RegExp(String.raw`^- (${NAME}) = ("(?:[^"\\]|\\.)*") when the request says (${CUE}(?:, ${CUE})*)`, 'gm');

/** As much of a request as is read here. */
const Request = z.object({
  messages: z.custom<ModelRequest['messages']>(
    (messages) =>
      Array.isArray(messages) && (messages.length === 0 || Array.isArray((messages[0] as ModelRequest['messages'][number])?.content)),
    'expected the messages of a request',
  ),
});

/**
 * Reads the choices out of the memory in a request, for policies that are written in code: a language model reads the lines
 * itself. Only what stands before the task is read, so that a task can't pose as memory.
 * @returns in the order of the lines, the strongest first
 * @throws DreamfoldError invalid_argument for what is no request
 */
export function readChoices(request: Pick<ModelRequest, 'messages'>): RememberedChoice[] {
  const { messages } = checked(Request, request, { what: 'readChoices()', name: 'request' });
  const [first, ...rest] = messages[0]?.content ?? [];
  if (rest.length === 0 || first?.type !== 'text' || !first.text.startsWith('<memory ')) return [];
  return [...first.text.matchAll(CHOICE)].map(([, field, value, cues]) => ({
    field: field!.startsWith('"') ? (JSON.parse(field!) as string) : field!,
    value: JSON.parse(value!) as string,
    cues: [...cues!.matchAll(new RegExp(CUE, 'g'))].map(([, phrase, points]) => ({
      phrase: JSON.parse(phrase!) as string,
      points: Number(points),
    })),
  }));
}
