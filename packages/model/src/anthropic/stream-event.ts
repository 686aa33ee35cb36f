import { z } from 'zod';

const Count = z.int().nonnegative().nullish();
const Usage = z
  .object({ input_tokens: Count, output_tokens: Count, cache_creation_input_tokens: Count, cache_read_input_tokens: Count })
  .nullish();
const Index = z.int().nonnegative().max(9_999);

const ContentBlock = z.discriminatedUnion('type', [
  z.object({ type: z.enum(['text']), text: z.string() }),
  z.object({ type: z.enum(['tool_use']), id: z.string().min(1), name: z.string().min(1), input: z.unknown() }),
  z.object({ type: z.enum(['thinking', 'redacted_thinking']) }),
]);
export type ContentBlock = z.infer<typeof ContentBlock>;

const Delta = z.discriminatedUnion('type', [
  z.object({ type: z.enum(['text_delta']), text: z.string() }),
  z.object({ type: z.enum(['input_json_delta']), partial_json: z.string() }),
  z.object({ type: z.enum(['thinking_delta', 'signature_delta', 'citations_delta']) }),
]);

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

/** The kinds of blocks, and of the pieces that they come in, that can be read: an answer with any other says what nobody here understands. */
export const BLOCK_TYPES: ReadonlySet<string> = new Set(ContentBlock.options.flatMap(({ shape }) => shape.type.options));
export const DELTA_TYPES: ReadonlySet<string> = new Set(Delta.options.flatMap(({ shape }) => shape.type.options));
