import { blobsIn, DreamfoldError, MAX_EVENT_BYTES, ModelUsage, OTHER_BLOCKS, TextBlock } from '@dreamfold/events';
import { isPlainJson, MAX_JSON_DEPTH } from '@dreamfold/core';
import { z } from 'zod';
import type { ModelResponse } from './port.ts';

/** No answer costs as much; what is above it would spoil the sums of a session. */
const MAX_TOKENS = 1e12;

/** What an answer takes at most, all its blocks together as JSON: each of them becomes an event. */
export const MAX_ANSWER_BYTES = MAX_EVENT_BYTES - 8 * 1024;

const Usage = ModelUsage.refine((usage) => Object.values(usage).every((tokens) => tokens <= MAX_TOKENS), {
  error: 'counts too many tokens',
});

const Block = z.discriminatedUnion('type', [
  TextBlock.omit({ df_blob: true }).extend({ decision: z.unknown().optional() }),
  z.object({
    type: z.literal('tool_use'),
    id: z.unknown().optional(),
    name: z.string().min(1),
    input: z.unknown().refine((input) => isPlainJson(input), {
      error: `is not JSON, holds half a character, or is nested more than ${MAX_JSON_DEPTH} deep`,
    }),
    decision: z.unknown().optional(),
  }),
  ...OTHER_BLOCKS,
]);
const NO_JSON = 'holds something other than JSON, half a character, or a blob';
/** Of blocks other than text and calls: JSON, asked before anything walks into it, and no blob, which the log alone names. */
const Blocks = z.array(
  z
    .unknown()
    .refine((block) => isTextOrCall(block) || isPlainJson(block), { error: NO_JSON })
    .pipe(Block.refine((block) => block.type === 'text' || block.type === 'tool_use' || blobsIn([block]).length === 0, { error: NO_JSON })),
);
const Response = z.object({
  content: Blocks,
  stopReason: z.enum(['end_turn', 'tool_use', 'max_tokens', 'refusal']),
  refusal: z.object({ category: z.string().nullable(), explanation: z.string().nullable() }).optional(),
  usage: Usage,
});

function isTextOrCall(block: unknown): boolean {
  const type = typeof block === 'object' && block !== null && 'type' in block ? block.type : undefined;
  return type === 'text' || type === 'tool_use';
}

/**
 * The answer of a model, which may be anybody's code, as what it has to be.
 * @throws DreamfoldError model_protocol_error, with the field as path
 */
export function checkResponse(response: unknown): ModelResponse {
  const checked = Response.safeParse(response, { reportInput: true });
  if (checked.success) {
    const given = (response as ModelResponse).content;
    // The schema's copy of a block may have its fields in another order.
    const content = checked.data.content.map((block, i) => (block.type === 'text' || block.type === 'tool_use' ? block : given[i]!));
    return { ...checked.data, content } as ModelResponse;
  }
  const issue = checked.error.issues[0]!;
  const path = issue.path.join('/') || 'answer';
  throw new DreamfoldError('model_protocol_error', `The model's answer is not one: ${path}: ${issue.message}`, {
    path,
    remedy: 'Correct the model: `respond` resolves with content, stopReason and usage as ModelResponse says.',
  });
}

/** What a model says that it used; null when that can't be. */
export function checkUsage(usage: unknown): ModelUsage | null {
  return Usage.safeParse(usage).data ?? null;
}

/** @param sizeBytes left out when nobody has read to the end */
export function answerTooLarge(sizeBytes?: number): DreamfoldError {
  const size = sizeBytes === undefined ? 'too long and was read no further' : `${sizeBytes} bytes long`;
  return new DreamfoldError('payload_too_large', `The answer is ${size}; the limit is ${MAX_ANSWER_BYTES} bytes`, {
    path: 'answer',
    value: sizeBytes ?? MAX_ANSWER_BYTES,
    remedy: 'Give the agent a smaller maxTokens, or have it write large results through a tool in parts.',
  });
}
