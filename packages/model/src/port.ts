import type { Decision, ModelRequest } from '@dreamfold/core';
import type { BlockKind, ContentBlock, ModelUsage } from '@dreamfold/events';

export { memoryText, plainSaying } from '@dreamfold/core';
export type { Decision, MemoryBlock, ModelRequest, RequestBlock, RequestMessage, ToolSpec } from '@dreamfold/core';

export type ResponseBlock =
  | (ContentBlock & { decision?: Decision })
  | { type: 'tool_use'; id: string; name: string; input: unknown; decision?: Decision };

export interface ModelResponse {
  content: readonly ResponseBlock[];
  stopReason: 'end_turn' | 'tool_use' | 'max_tokens' | 'refusal';
  refusal?: { category: string | null; explanation: string | null };
  usage: ModelUsage;
}

export interface ModelCall {
  signal: AbortSignal;
  /** Text as it arrives. Live only: what counts is the answer. */
  onDelta?: (text: string) => void;
  /** What the attempt has used so far, in all, as soon as it is known: an attempt that fails after that has been paid for too. */
  onUsage?: (usage: ModelUsage) => void;
}

/** US dollars per million tokens. */
export interface ModelPrice {
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
}

/**
 * The port to a model. One call is one attempt: retries belong to the caller.
 * `respond` rejects with a DreamfoldError: model_overloaded, model_rate_limited, model_timeout, model_unavailable and
 * model_protocol_error may be tried again (`isRetryable`); model_request_failed and the rest may not. A wait that the service asked for
 * stands on the error as `retryAfterMs` (see ModelError) and goes into `retryDelayMs`. An answer is read no further than
 * MAX_ANSWER_BYTES (`answerTooLarge`).
 * A language model is shown a memory block as `memoryText` writes it, and all that users, tools and agents say as `plainSaying`
 * does, so that none of it can pose as memory.
 * A refusal is an answer, not an error. An abort rejects with the signal's reason.
 * A model is sent no block of a kind that it does not take (`checkTakes`); thinking is left out of what is sent to one that does not take
 * it. Blocks that it takes come as they were given; those that it has said itself, thinking with its signature among them, come back
 * unchanged in the answer's place.
 */
export interface Model {
  respond(request: ModelRequest, call: ModelCall): Promise<ModelResponse>;
  /** What a token costs; left out when it is not known. */
  readonly price?: ModelPrice;
  /** What stands in its requests besides calls and their results. Left out, text alone. */
  readonly takes?: readonly BlockKind[];
}
