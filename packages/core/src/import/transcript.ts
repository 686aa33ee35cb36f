import { isDreamfoldError, DATA_LIMITS, parseJson, type ContentBlock } from '@dreamfold/events';
import { answerParts } from '../session/answer-parts.ts';
import { AnyObject } from './any-object.ts';
import { z } from 'zod';
import { recordedBlocks, TEXT_BLOCKS } from './recorded/recorded-blocks.ts';
import { readItem } from './recorded/recorded-item.ts';
import { recordedTime } from './recorded/recorded-time.ts';
import { checkRow, rowError } from './row-error.ts';
import { MessageContent, type AssistantMessage, type ImportNote, type ToolCall, type TranscriptMessage } from './transcript-message.ts';

export type { ImportNote } from './transcript-message.ts';

const TextBlock = z.object({ text: z.string() });
const RefusalBlock = z.object({ refusal: z.string() });
const ToolUseBlock = z.object({ id: z.string().min(1), name: z.string().min(1).max(200), input: AnyObject });
const ToolResultBlock = z.object({
  tool_use_id: z.string().min(1),
  content: MessageContent.nullish(),
  is_error: z.boolean().nullish(),
});

export interface RecordedCall {
  id: string;
  name: string;
  input: Record<string, unknown>;
  at: string;
}

/** All that was said, when it is more than text. */
type Blocks = readonly ContentBlock[];

/** What both styles say, said once. `index` is the message's place in the transcript, from 0. */
export type Turn = { index: number; at: string; time?: number } & (
  | { role: 'user'; text: string; blocks?: Blocks }
  | { role: 'assistant'; agent?: string; text: string; blocks?: Blocks; calls: RecordedCall[]; confidence?: number; reason?: string }
  | { role: 'result'; callId: string; text: string; blocks?: Blocks; isError: boolean }
);

export interface Transcript {
  system: string;
  turns: Turn[];
}

const BLOCK_REMEDY = 'Correct the block: text {text}, tool_use {id, name, input}, tool_result {tool_use_id, content, is_error}.';

/** A message and where it stands: `runs.jsonl:12/messages/3`. */
export interface PlacedMessage {
  at: string;
  value: unknown;
}

/**
 * Reads messages of any style; one transcript may mix them.
 * @param at where the row stands, for a transcript that is empty
 * @throws DreamfoldError invalid_import, invalid_text
 */
export function readTranscript(messages: readonly PlacedMessage[], at: string, notes: ImportNote[]): Transcript {
  const system: string[] = [];
  const turns: Turn[] = [];
  const legacy = new FunctionCalls();
  for (const [index, { at: place, value }] of messages.entries()) {
    const message = readItem(value, place, notes);
    if (message === null) continue;
    if (message.role === 'system' || message.role === 'developer') {
      if (turns.length > 0) notes.push({ path: place, note: 'a later system message was joined to the system prompt' });
      system.push(readText(message.content, place, notes));
      continue;
    }
    const where = { index, at: place, ...recordedTime(message) };
    const read = turnsOf(message, { at: place, index, notes, legacy }).map((turn) => ({ ...where, ...turn }));
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

/** Calls of the field `function_call` have no ids: a result belongs to the oldest call of its function that has none. */
class FunctionCalls {
  readonly #open = new Map<string, string[]>();

  begin(name: string, index: number): string {
    const id = `function_call ${index}`;
    this.#open.set(name, [...(this.#open.get(name) ?? []), id]);
    return id;
  }

  end(name: string): string {
    return this.#open.get(name)?.shift() ?? `function_call ${name}`;
  }
}

type ToolCallArguments = string | Record<string, unknown> | null | undefined;

type TurnBody = Turn extends infer T ? (T extends Turn ? Omit<T, 'index' | 'at' | 'time'> : never) : never;

interface Place {
  at: string;
  index: number;
  notes: ImportNote[];
  legacy: FunctionCalls;
}

function turnsOf(message: Exclude<TranscriptMessage, { role: 'system' | 'developer' }>, place: Place): TurnBody[] {
  const { at, notes } = place;
  const text = readText(message.content, at, notes);
  const more = blocksOf(message.content);
  switch (message.role) {
    case 'user':
      return [
        ...readResults(message.content, at, notes),
        ...(text === '' && more.blocks === undefined ? [] : [{ role: 'user' as const, text, ...more }]),
      ];
    case 'tool':
      // The Chat API has no field for a failed call; tools of the field say so in the first word.
      return [{ role: 'result', callId: message.tool_call_id, text, ...more, isError: message.is_error ?? text.startsWith('Error:') }];
    case 'function':
      return [{ role: 'result', callId: place.legacy.end(message.name), text, isError: text.startsWith('Error:') }];
    case 'assistant':
      return readAnswer(message, text || (message.refusal ?? ''), place);
  }
}

function readAnswer(message: AssistantMessage, text: string, { at, index, notes, legacy }: Place): TurnBody[] {
  const { name: agent, confidence, reason, function_call: call } = message;
  const used = readToolUses(message.content, at);
  // LangChain writes the calls of Claude twice, as blocks and as calls.
  const others = (message.tool_calls ?? []).flatMap((other, i) =>
    used.some(({ id }) => id === other.id) ? [] : [readToolCall(other, `${at}/tool_calls/${i}`, notes)],
  );
  const calls = [...used, ...others];
  if (call != null) {
    const place = `${at}/function_call`;
    calls.push({ id: legacy.begin(call.name, index), name: call.name, input: readArguments(call.arguments, place, notes), at: place });
  }
  const more = blocksOf(message.content);
  if (calls.length === 0 && answerParts([...(more.blocks ?? []), { type: 'text', text }]).length === 0) return [];
  return [
    {
      role: 'assistant',
      text,
      ...more,
      calls,
      ...(agent == null || agent === '' ? {} : { agent }),
      ...(confidence == null ? {} : { confidence }),
      ...(reason == null ? {} : { reason }),
    },
  ];
}

type MaybeContent = MessageContent | null | undefined;

function readText(content: MaybeContent, at: string, notes: ImportNote[]): string {
  if (content == null) return '';
  if (typeof content === 'string') return content;
  const texts: string[] = [];
  for (const [i, block] of content.entries()) {
    const place = `${at}/content/${i}`;
    if (TEXT_BLOCKS.has(block.type)) {
      texts.push(checkRow(TextBlock, block, { at: place, remedy: BLOCK_REMEDY }).text);
      // What the Responses API says of it; citations of the Messages API are kept.
      if (Array.isArray(block['annotations']) && block['annotations'].length > 0) {
        notes.push({ path: `${place}/annotations`, note: 'was left out' });
      }
    } else if (block.type === 'refusal') texts.push(checkRow(RefusalBlock, block, { at: place, remedy: BLOCK_REMEDY }).refusal);
  }
  return texts.join('\n');
}

function readResults(content: MaybeContent, at: string, notes: ImportNote[]): TurnBody[] {
  if (content == null || typeof content === 'string') return [];
  return content.flatMap((block, i) => {
    if (block.type !== 'tool_result') return [];
    const place = `${at}/content/${i}`;
    const result = checkRow(ToolResultBlock, block, { at: place, remedy: BLOCK_REMEDY });
    const text = readText(result.content, place, notes);
    return [{ role: 'result' as const, callId: result.tool_use_id, text, ...blocksOf(result.content), isError: result.is_error ?? false }];
  });
}

function blocksOf(content: MaybeContent): { blocks?: Blocks } {
  const blocks = recordedBlocks(content);
  return blocks === undefined ? {} : { blocks };
}

function readToolUses(content: MaybeContent, at: string): RecordedCall[] {
  if (content == null || typeof content === 'string') return [];
  return content.flatMap((block, i) => {
    if (block.type !== 'tool_use') return [];
    const place = `${at}/content/${i}`;
    const { id, name, input } = checkRow(ToolUseBlock, block, { at: place, remedy: BLOCK_REMEDY });
    return [{ id, name, input, at: place }];
  });
}

function readToolCall(call: ToolCall, at: string, notes: ImportNote[]): RecordedCall {
  if (call.custom != null) return { id: call.id, name: call.custom.name, input: { input: call.custom.input }, at };
  // The schema sees to it that there is one of the two.
  const { name, arguments: written } = call.function!;
  return { id: call.id, name, input: readArguments(written, `${at}/function`, notes), at };
}

/**
 * The input of a call. What the model wrote and nobody can read is what it did all the same: it is kept as text.
 * @param written several servers send '' for a call without arguments
 */
function readArguments(written: ToolCallArguments, at: string, notes: ImportNote[]): Record<string, unknown> {
  if (written == null || written === '') return {};
  if (typeof written !== 'string') return written;
  try {
    const input = parseJson(written, `${at}/arguments`, DATA_LIMITS);
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input as Record<string, unknown>;
  } catch (error) {
    if (!isDreamfoldError(error)) throw error;
  }
  notes.push({ path: `${at}/arguments`, note: 'is not the text of a JSON object; it was kept as text, in df_malformed' });
  return { df_malformed: written };
}
