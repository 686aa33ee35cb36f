import type Anthropic from '@anthropic-ai/sdk';
import { DreamfoldError, type ContentBlock } from '@dreamfold/events';
import { memoryText, plainSaying, type ModelRequest, type RequestBlock, type RequestMessage } from '../port.ts';

const TOOL_NAME = /^[a-zA-Z0-9_-]{1,128}$/;
const CACHED = { cache_control: { type: 'ephemeral' } } as const;

/** How a model is to think. `budgetTokens` is at least 1024, and less than an answer may have. */
export type Thinking = 'adaptive' | 'disabled' | { budgetTokens: number };

/** What the API takes as a budget at least. */
const MIN_BUDGET_TOKENS = 1024;

/** Whether a value is what {@link Thinking} says. */
export function isThinking(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === 'adaptive' || value === 'disabled';
  const { budgetTokens, ...others } = value as Record<string, unknown>;
  return Number.isInteger(budgetTokens) && (budgetTokens as number) >= MIN_BUDGET_TOKENS && Object.keys(others).length === 0;
}

/**
 * The body of a Messages API request.
 * Two breakpoints are cached: the system prompt (or the last tool), which every turn of an agent shares, and the last message, which
 * the next turn begins with.
 * @throws DreamfoldError model_request_failed for a tool name, or a budget for thinking, that the API would refuse
 */
export function createParams(
  request: ModelRequest,
  { cache, thinking }: { cache: boolean; thinking?: Thinking },
): Anthropic.MessageCreateParamsStreaming {
  for (const tool of request.tools) {
    if (TOOL_NAME.test(tool.name)) continue;
    throw new DreamfoldError('model_request_failed', `The Messages API takes no tool called ${JSON.stringify(tool.name)}`, {
      path: `tools/${tool.name}`,
      value: tool.name,
      remedy: 'Name it with 1 to 128 letters, digits, "_" and "-".',
    });
  }
  const tools = request.tools.map((tool): Anthropic.Tool => ({
    name: tool.name,
    description: tool.description,
    input_schema: tool.input_schema as Anthropic.Tool.InputSchema,
  }));
  const hasSystem = request.system !== '';
  const lastTool = tools.at(-1);
  if (cache && !hasSystem && lastTool !== undefined) Object.assign(lastTool, CACHED);
  return {
    model: request.model,
    max_tokens: request.maxTokens,
    stream: true,
    ...(hasSystem && { system: [{ type: 'text', text: request.system, ...(cache && CACHED) }] }),
    messages: request.messages.map((message, i) => messageParam(message, cache && i === request.messages.length - 1)),
    ...(tools.length > 0 && { tools }),
    ...(thinking !== undefined && { thinking: thinkingParam(thinking, request.maxTokens) }),
  };
}

function thinkingParam(thinking: Thinking, maxTokens: number): Anthropic.ThinkingConfigParam {
  if (typeof thinking === 'string') return { type: thinking };
  const { budgetTokens } = thinking;
  if (budgetTokens < maxTokens) return { type: 'enabled', budget_tokens: budgetTokens };
  throw new DreamfoldError(
    'model_request_failed',
    `A budget of ${budgetTokens} tokens for thinking leaves none of the ${maxTokens} of an answer`,
    {
      path: 'thinking/budgetTokens',
      value: budgetTokens,
      remedy: 'Give the agent more maxTokens, or the model a smaller budget.',
    },
  );
}

function messageParam(message: RequestMessage, cache: boolean): Anthropic.MessageParam {
  // The API refuses empty text.
  const content = message.content.filter((block) => block.type !== 'text' || block.text !== '').map(blockParam);
  const last = content.at(-1);
  // What a model has thought goes back as it is.
  if (cache && last !== undefined && last.type !== 'thinking' && last.type !== 'redacted_thinking') Object.assign(last, CACHED);
  return { role: message.role, content };
}

function blockParam(block: RequestBlock): Anthropic.ContentBlockParam {
  switch (block.type) {
    case 'memory':
      return { type: 'text', text: memoryText(block) };
    case 'tool_use':
      return { type: 'tool_use', id: block.id, name: block.name, input: plainInput(block.input) };
    case 'tool_result':
      return {
        type: 'tool_result',
        tool_use_id: block.tool_use_id,
        content: block.blocks === undefined ? plainSaying(block.content) : block.blocks.map(contentParam),
        ...(block.is_error && { is_error: true }),
      } as Anthropic.ToolResultBlockParam;
    default:
      return contentParam(block);
  }
}

/** A block as it was given or said, but for the escaping: in a form that is newer than the SDK's types, it may be. */
function contentParam(block: ContentBlock): Anthropic.ContentBlockParam {
  switch (block.type) {
    case 'text':
      return { ...block, text: plainSaying(block.text) } as Anthropic.TextBlockParam;
    case 'thinking':
    case 'redacted_thinking':
      return { ...block };
    case 'unknown':
      return plainInput(block.block) as Anthropic.ContentBlockParam;
    default:
      return plainInput(block) as Anthropic.ContentBlockParam;
  }
}

/** What an agent calls a tool with may hold what a user said. */
function plainInput(input: unknown): unknown {
  if (typeof input === 'string') return plainSaying(input);
  if (Array.isArray(input)) return input.map(plainInput);
  if (typeof input !== 'object' || input === null) return input;
  return Object.fromEntries(Object.entries(input).map(([key, value]) => [plainSaying(key), plainInput(value)]));
}
