import { z } from 'zod';

const Count = z.int().nonnegative().nullish();
const Usage = z
  .object({ input_tokens: Count, output_tokens: Count, cache_creation_input_tokens: Count, cache_read_input_tokens: Count })
  .nullish();
const Index = z.int().nonnegative().max(9_999);

/** A block as it begins: of any type. */
const ContentBlock = z.looseObject({ type: z.string() });
export type ContentBlock = z.infer<typeof ContentBlock>;

const Call = z.looseObject({ id: z.string().min(1), name: z.string().min(1), input: z.unknown() });

/** The beginnings of blocks that come in pieces. Blocks of other types come whole. */
export const PIECED_BLOCKS = {
  text: z.looseObject({ type: z.literal('text'), text: z.string(), citations: z.array(ContentBlock).nullish() }),
  thinking: z.looseObject({ type: z.literal('thinking'), thinking: z.string().default(''), signature: z.string().default('') }),
  tool_use: Call.extend({ type: z.literal('tool_use') }),
  server_tool_use: Call.extend({ type: z.literal('server_tool_use') }),
  mcp_tool_use: Call.extend({ type: z.literal('mcp_tool_use') }),
} as const;
export type PiecedBlock = z.infer<(typeof PIECED_BLOCKS)[keyof typeof PIECED_BLOCKS]>;

const Delta = z.discriminatedUnion('type', [
  z.object({ type: z.enum(['text_delta']), text: z.string() }),
  z.object({ type: z.enum(['input_json_delta']), partial_json: z.string() }),
  z.object({ type: z.enum(['thinking_delta']), thinking: z.string() }),
  z.object({ type: z.enum(['signature_delta']), signature: z.string() }),
  z.object({ type: z.enum(['citations_delta']), citation: z.looseObject({ type: z.string() }) }),
]);
export type Delta = z.infer<typeof Delta>;

const StopDetails = z.object({ category: z.string().nullish(), explanation: z.string().nullish() });

/** What is read of the events of a streamed message (docs of the Messages API, "Streaming"); other fields may come and go. */
export const StreamEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('message_start'), message: z.object({ usage: Usage }) }),
  z.object({ type: z.literal('content_block_start'), index: Index, content_block: ContentBlock }),
  z.object({ type: z.literal('content_block_delta'), index: Index, delta: Delta }),
  z.object({ type: z.literal('content_block_stop'), index: Index }),
  z.object({
    type: z.literal('message_delta'),
    delta: z.object({ stop_reason: z.string().nullish(), stop_details: StopDetails.nullish() }),
    usage: Usage,
  }),
  z.object({ type: z.literal('message_stop') }),
]);
export type StreamEvent = z.infer<typeof StreamEvent>;

/** The kinds that are read. The API adds kinds without a new version; those are passed over. */
export const STREAM_EVENT_TYPES: ReadonlySet<string> = new Set(StreamEvent.options.map((option) => option.shape.type.value));

/** The kinds of pieces that a block comes in. What came in any other can't be put together. */
export const DELTA_TYPES: ReadonlySet<string> = new Set(Delta.options.flatMap(({ shape }) => shape.type.options));
