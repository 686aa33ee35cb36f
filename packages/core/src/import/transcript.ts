import { parseJson } from '@dreamfold/events';
import { z } from 'zod';
import { checkRow, rowError } from './row-error.ts';

/** A content block; blocks other than text, tool_use and tool_result are left out and noted. */
const Block = z.looseObject({ type: z.string() });
const MessageContent = z.union([z.string(), z.array(Block)], { error: 'is neither text nor a list of blocks with a type' });
const Fraction = z.number().min(0).max(1);

/** When it happened: milliseconds since 1970, or ISO 8601 with its offset from UTC. */
export const RecordedTime = z.union([z.int().nonnegative(), z.iso.datetime({ offset: true }).transform((iso) => Date.parse(iso))], {
  error: 'is neither milliseconds since 1970 nor an ISO 8601 time with Z or an offset',
});

const SystemMessage = z.object({ role: z.literal('system'), content: MessageContent });
const DeveloperMessage = z.object({ role: z.literal('developer'), content: MessageContent });
const UserMessage = z.object({ role: z.literal('user'), content: MessageContent, time: RecordedTime.optional() });
const AssistantMessage = z.object({
  role: z.literal('assistant'),
  content: MessageContent.nullish(),
  refusal: z.string().nullish(),
  tool_calls: z
    .array(z.object({ id: z.string().min(1), function: z.object({ name: z.string().min(1).max(200), arguments: z.string() }) }))
    .nullish(),
  confidence: Fraction.nullish(),
  reason: z.string().nullish(),
  time: RecordedTime.optional(),
});
const ToolMessage = z.object({
  role: z.literal('tool'),
  tool_call_id: z.string().min(1),
  content: MessageContent.nullish(),
  is_error: z.boolean().nullish(),
  time: RecordedTime.optional(),
});

/** One message, as the Anthropic Messages API or the OpenAI Chat API has it. Fields that are not named here are ignored. */
export const TranscriptMessage = z.discriminatedUnion(
  'role',
  [SystemMessage, DeveloperMessage, UserMessage, AssistantMessage, ToolMessage],
  {
    error: (issue) =>
      issue.code === 'invalid_union' ? 'has a role other than system, developer, user, assistant and tool' : 'is not a message with a role',
  },
);
export type TranscriptMessage = z.infer<typeof TranscriptMessage>;

const TextBlock = z.object({ type: z.literal('text'), text: z.string() });
const ToolUseBlock = z.object({ id: z.string().min(1), name: z.string().min(1).max(200), input: z.record(z.string(), z.unknown()) });
const ToolResultBlock = z.object({
  tool_use_id: z.string().min(1),
  content: MessageContent.nullish(),
  is_error: z.boolean().nullish(),
});

/** Something that the import changed or left out. */
export interface ImportNote {
  path: string;
  note: string;
}

export interface RecordedCall {
  id: string;
  name: string;
  input: Record<string, unknown>;
  at: string;
}

/** What both styles say, said once. `index` is the message's place in the transcript, from 0. */
export type Turn = { index: number; at: string; time?: number } & (
  | { role: 'user'; text: string }
  | { role: 'assistant'; text: string; calls: RecordedCall[]; confidence?: number; reason?: string }
  | { role: 'result'; callId: string; text: string; isError: boolean }
);

export interface Transcript {
  system: string;
  turns: Turn[];
}

const BLOCK_REMEDY = 'Correct the block: text {text}, tool_use {id, name, input}, tool_result {tool_use_id, content, is_error}.';
const SILENT_BLOCKS = new Set(['tool_use', 'tool_result']);

/**
 * Reads messages of either style; one transcript may mix them.
 * @param at where the messages stand, `runs.jsonl:12/messages`
 * @throws DreamfoldError invalid_import, invalid_json, forbidden_key, invalid_text
 */
export function readTranscript(messages: readonly TranscriptMessage[], at: string, notes: ImportNote[]): Transcript {
  const system: string[] = [];
  const turns: Turn[] = [];
  for (const [index, message] of messages.entries()) {
    const place = `${at}/${index}`;
    if (message.role === 'system' || message.role === 'developer') {
      if (turns.length > 0) notes.push({ path: place, note: 'a later system message was joined to the system prompt' });
      system.push(readText(message.content, place, notes));
      continue;
    }
    const where = { index, at: place, ...timeOf(message) };
    const read = turnsOf(message, place, notes).map((turn) => ({ ...where, ...turn }));
    if (read.length === 0) notes.push({ path: place, note: 'an empty message was left out' });
    turns.push(...read);
  }
  if (turns.length === 0) {
    throw rowError(at, 'the transcript is empty', {
      remedy: 'Remove the row, or record at least one message of a user or an assistant in it.',
    });
  }
  return { system: system.join('\n\n'), turns };
}

function timeOf({ time }: { time?: number | undefined }): { time?: number } {
  return time === undefined ? {} : { time };
}

type TurnBody = Turn extends infer T ? (T extends Turn ? Omit<T, 'index' | 'at' | 'time'> : never) : never;

function turnsOf(message: Exclude<TranscriptMessage, { role: 'system' | 'developer' }>, at: string, notes: ImportNote[]): TurnBody[] {
  switch (message.role) {
    case 'user': {
      const text = readText(message.content, at, notes);
      return [...readResults(message.content, at, notes), ...(text === '' ? [] : [{ role: 'user' as const, text }])];
    }
    case 'tool': {
      const text = readText(message.content, at, notes);
      // The Chat API has no field for a failed call; tools of the field say so in the first word.
      return [{ role: 'result', callId: message.tool_call_id, text, isError: message.is_error ?? text.startsWith('Error:') }];
    }
    case 'assistant': {
      const text = readText(message.content, at, notes) || (message.refusal ?? '');
      const calls = [...readToolUses(message.content, at), ...readToolCalls(message.tool_calls, at)];
      if (text === '' && calls.length === 0) return [];
      const { confidence, reason } = message;
      return [{ role: 'assistant', text, calls, ...(confidence == null ? {} : { confidence }), ...(reason == null ? {} : { reason }) }];
    }
  }
}

type MessageContent = z.infer<typeof MessageContent> | null | undefined;

function readText(content: MessageContent, at: string, notes: ImportNote[]): string {
  if (content == null) return '';
  if (typeof content === 'string') return content;
  const texts: string[] = [];
  for (const [i, block] of content.entries()) {
    const place = `${at}/content/${i}`;
    if (block.type === 'text') texts.push(checkRow(TextBlock, block, { at: place, remedy: BLOCK_REMEDY }).text);
    else if (!SILENT_BLOCKS.has(block.type)) notes.push({ path: place, note: `a block of type ${block.type.slice(0, 40)} was left out` });
  }
  return texts.join('\n');
}

function readResults(content: MessageContent, at: string, notes: ImportNote[]): TurnBody[] {
  if (content == null || typeof content === 'string') return [];
  return content.flatMap((block, i) => {
    if (block.type !== 'tool_result') return [];
    const place = `${at}/content/${i}`;
    const result = checkRow(ToolResultBlock, block, { at: place, remedy: BLOCK_REMEDY });
    const text = readText(result.content, place, notes);
    return [{ role: 'result' as const, callId: result.tool_use_id, text, isError: result.is_error ?? false }];
  });
}

function readToolUses(content: MessageContent, at: string): RecordedCall[] {
  if (content == null || typeof content === 'string') return [];
  return content.flatMap((block, i) => {
    if (block.type !== 'tool_use') return [];
    const place = `${at}/content/${i}`;
    const { id, name, input } = checkRow(ToolUseBlock, block, { at: place, remedy: BLOCK_REMEDY });
    return [{ id, name, input, at: place }];
  });
}

function readToolCalls(calls: z.infer<typeof AssistantMessage>['tool_calls'], at: string): RecordedCall[] {
  return (calls ?? []).map((call, i) => {
    const place = `${at}/tool_calls/${i}`;
    const { name, arguments: json } = call.function;
    // Several servers send '' for a call without arguments.
    const input = json === '' ? {} : parseJson(json, `${place}/function/arguments`);
    if (typeof input !== 'object' || input === null || Array.isArray(input)) {
      throw rowError(`${place}/function/arguments`, 'the arguments are not a JSON object', {
        value: json,
        remedy: 'Write the arguments as the text of a JSON object, such as "{\\"id\\": 7}".',
      });
    }
    return { id: call.id, name, input: input as Record<string, unknown>, at: place };
  });
}
