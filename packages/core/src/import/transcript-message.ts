import { z } from 'zod';
import { AnyObject } from './any-object.ts';
import { RecordedTime } from './recorded/recorded-time.ts';

/** A content block; blocks other than text, tool_use and tool_result are left out and noted. */
const Block = z.looseObject({ type: z.string() });
export const MessageContent = z.union([z.string(), z.array(Block)], { error: 'is neither text nor a list of blocks with a type' });
export type MessageContent = z.infer<typeof MessageContent>;

const Fraction = z.number().min(0).max(1);
const ToolName = z.string().min(1).max(200);
const when = { time: RecordedTime.nullish(), created_at: RecordedTime.nullish() };

/** Text of JSON, as a model wrote it, or what somebody has parsed of it. */
const Arguments = z.union([z.string(), AnyObject], { error: 'is neither text nor an object' }).nullish();
const FunctionCall = z.object({ name: ToolName, arguments: Arguments });

const ToolCall = z
  .object({
    id: z.string().min(1),
    function: FunctionCall.nullish(),
    /** A call whose input is text, and not the text of JSON. */
    custom: z.object({ name: ToolName, input: z.string() }).nullish(),
  })
  .refine((call) => call.function != null || call.custom != null, { error: 'is no call: {id, function: {name, arguments}}' });
export type ToolCall = z.infer<typeof ToolCall>;

const SystemMessage = z.object({ role: z.literal('system'), content: MessageContent });
const DeveloperMessage = z.object({ role: z.literal('developer'), content: MessageContent });
const UserMessage = z.object({ role: z.literal('user'), content: MessageContent, ...when });
export const AssistantMessage = z.object({
  role: z.literal('assistant'),
  content: MessageContent.nullish(),
  refusal: z.string().nullish(),
  tool_calls: z.array(ToolCall).nullish(),
  /** The Chat API's call before there were several of them. */
  function_call: FunctionCall.nullish(),
  /** Which agent speaks, where there are several; several servers send '' where there is one. */
  name: z.string().max(100).nullish(),
  confidence: Fraction.nullish(),
  reason: z.string().nullish(),
  ...when,
});
const ToolMessage = z.object({
  role: z.literal('tool'),
  tool_call_id: z.string().min(1),
  content: MessageContent.nullish(),
  is_error: z.boolean().nullish(),
  ...when,
});
export type AssistantMessage = z.infer<typeof AssistantMessage>;
/** The result of a `function_call`, which is told by the name of its function. */
const FunctionMessage = z.object({ role: z.literal('function'), name: ToolName, content: MessageContent.nullish(), ...when });

/** One message, as the Anthropic Messages API or the OpenAI Chat API has it. Fields that are not named here are ignored. */
export const TranscriptMessage = z.discriminatedUnion(
  'role',
  [SystemMessage, DeveloperMessage, UserMessage, AssistantMessage, ToolMessage, FunctionMessage],
  {
    error: (issue) =>
      issue.code === 'invalid_union'
        ? 'has a role other than system, developer, user, assistant, tool and function'
        : 'is not a message with a role',
  },
);
export type TranscriptMessage = z.infer<typeof TranscriptMessage>;

/** Something that the import changed or left out. */
export interface ImportNote {
  path: string;
  note: string;
}
