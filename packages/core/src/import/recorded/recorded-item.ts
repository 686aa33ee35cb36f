import { z } from 'zod';
import { checkRow, rowError } from '../row-error.ts';
import { AssistantMessage, MessageContent, TranscriptMessage, type ImportNote } from '../transcript-message.ts';
import { RecordedTime } from './recorded-time.ts';

// What stands in a list of messages and is none of the Messages API or the Chat API: an item of the Responses API, a message of LangChain.

const Call = z.object({
  call_id: z.string().min(1),
  name: z.string().min(1).max(200),
  created_at: RecordedTime.nullish(),
});
const FunctionCall = Call.extend({ arguments: AssistantMessage.shape.function_call.unwrap().unwrap().shape.arguments });
const CustomToolCall = Call.extend({ input: z.string() });
const CallOutput = z.object({ call_id: z.string().min(1), output: MessageContent.nullish(), created_at: RecordedTime.nullish() });

/** Items that hold nothing that a session keeps. */
const LEFT_OUT = new Set([
  'reasoning',
  'item_reference',
  'compaction',
  'file_search_call',
  'web_search_call',
  'computer_call',
  'computer_call_output',
  'code_interpreter_call',
  'image_generation_call',
  'local_shell_call',
  'local_shell_call_output',
  'mcp_list_tools',
  'mcp_call',
  'mcp_approval_request',
  'mcp_approval_response',
]);

const LANGCHAIN_ROLES: Readonly<Record<string, string>> = {
  human: 'user',
  HumanMessage: 'user',
  HumanMessageChunk: 'user',
  ai: 'assistant',
  AIMessage: 'assistant',
  AIMessageChunk: 'assistant',
  system: 'system',
  SystemMessage: 'system',
  tool: 'tool',
  ToolMessage: 'tool',
  function: 'function',
  FunctionMessage: 'function',
};

/** Fields of a message that hold content, and that no event has a place for. */
const LOST_FIELDS = ['reasoning_content', 'reasoning', 'reasoning_details', 'thinking', 'annotations', 'citations', 'audio'];

const MESSAGE_REMEDY =
  'Write each message as the Messages API, the Chat API, the Responses API or LangChain has it; docs/how-to/import-transcripts.md shows them.';

type Fields = Record<string, unknown>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * One message of a transcript, in whatever style it is written.
 * @param at where it stands
 * @returns null for an item that is left out, which is noted
 * @throws DreamfoldError invalid_import
 */
export function readItem(value: unknown, at: string, notes: ImportNote[]): TranscriptMessage | null {
  const item = langChainFields(value);
  if (isFields(item) && item['role'] === undefined && typeof item['type'] === 'string') {
    const { type } = item;
    if (LEFT_OUT.has(type)) {
      notes.push({ path: at, note: `an item of type ${type} was left out` });
      return null;
    }
    const read = RESPONSES_ITEMS[type];
    if (read !== undefined) return read(item, at);
    const role = LANGCHAIN_ROLES[type];
    if (role !== undefined) return checked(fromLangChain(item, role), at, notes);
    throw rowError(`${at}/type`, 'is an item of a type that is not known', { value: type, remedy: MESSAGE_REMEDY });
  }
  return checked(item, at, notes);
}

function checked(message: unknown, at: string, notes: ImportNote[]): TranscriptMessage {
  const read = checkRow(TranscriptMessage, message, { at, remedy: MESSAGE_REMEDY });
  for (const field of LOST_FIELDS)
    if (holdsSomething((message as Fields)[field])) notes.push({ path: `${at}/${field}`, note: 'was left out' });
  if (read.role === 'user' && holdsSomething((message as Fields)['name'])) {
    notes.push({ path: `${at}/name`, note: 'was left out: a session has one user' });
  }
  return read;
}

function holdsSomething(value: unknown): boolean {
  return value != null && value !== '' && !(Array.isArray(value) && value.length === 0);
}

const RESPONSES_ITEMS: Readonly<Record<string, (item: Fields, at: string) => TranscriptMessage>> = {
  function_call: (item, at) => {
    const { call_id: id, name, arguments: json, created_at } = checkRow(FunctionCall, item, { at, remedy: MESSAGE_REMEDY });
    return { role: 'assistant', created_at, tool_calls: [{ id, function: { name, arguments: json } }] };
  },
  custom_tool_call: (item, at) => {
    const { call_id: id, name, input, created_at } = checkRow(CustomToolCall, item, { at, remedy: MESSAGE_REMEDY });
    return { role: 'assistant', created_at, tool_calls: [{ id, custom: { name, input } }] };
  },
  function_call_output: callOutput,
  custom_tool_call_output: callOutput,
};

function callOutput(item: Fields, at: string): TranscriptMessage {
  const { call_id, output, created_at } = checkRow(CallOutput, item, { at, remedy: MESSAGE_REMEDY });
  return { role: 'tool', tool_call_id: call_id, content: output, created_at };
}

/** LangChain writes a message plainly, as {type, data}, or as the constructor that makes it: {lc, id: […, "AIMessage"], kwargs}. */
function langChainFields(value: unknown): unknown {
  if (!isFields(value) || value['role'] !== undefined) return value;
  const { type, data, id, kwargs } = value;
  if (type === 'constructor' && Array.isArray(id) && isFields(kwargs)) return { ...kwargs, type: String(id.at(-1)) };
  return typeof type === 'string' && type in LANGCHAIN_ROLES && isFields(data) ? { ...data, type } : value;
}

function fromLangChain(item: Fields, role: string): Fields {
  const more = isFields(item['additional_kwargs']) ? item['additional_kwargs'] : {};
  const calls = [...langChainCalls(item['tool_calls']), ...langChainCalls(item['invalid_tool_calls'])];
  return {
    ...more,
    ...item,
    role,
    ...(item['status'] === 'error' ? { is_error: true } : {}),
    // What a service calls its own is there beside what LangChain has made of it.
    ...(role === 'assistant' ? { tool_calls: calls.length > 0 ? calls : more['tool_calls'] } : {}),
    ...(calls.length > 0 ? { function_call: null } : {}),
  };
}

function langChainCalls(calls: unknown): unknown[] {
  if (!Array.isArray(calls)) return [];
  return calls.map((call: unknown) =>
    isFields(call) && 'args' in call ? { id: call['id'], function: { name: call['name'], arguments: call['args'] } } : call,
  );
}
