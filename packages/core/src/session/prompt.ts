import type { AgentSnapshot, ContentBlock, JsonSchema } from '@dreamfold/events';
import type { MemoryBlock } from '../memory/prompt/select.ts';
import type { List } from './fold/list.ts';

/** What stands in a request. A memory block comes from the store alone: nothing that anybody says becomes one. */
export type RequestBlock = MemoryBlock | ContentBlock | { type: 'tool_use'; id: string; name: string; input: unknown } | ResultBlock;

/** What a call gave. */
export interface ResultBlock {
  type: 'tool_result';
  tool_use_id: string;
  /** Its text. */
  content: string;
  /** All of it, text included, where it is more than text. */
  blocks?: readonly ContentBlock[];
  is_error: boolean;
}

export interface RequestMessage {
  role: 'user' | 'assistant';
  content: readonly RequestBlock[];
}

export interface ToolSpec {
  name: string;
  description: string;
  input_schema: JsonSchema;
}

/** A rendered request: all that a model sees. Rendered from the log alone, so the same log gives the same request. */
export interface ModelRequest {
  /** The model's name as the agent gives it, such as `claude-opus-5`, or `scripted`. */
  model: string;
  system: string;
  messages: readonly RequestMessage[];
  tools: readonly ToolSpec[];
  maxTokens: number;
}

export const DELEGATE_TOOL = 'delegate';

/** What a request has besides its messages. It does not change while a thread runs. */
export type PromptFrame = Omit<ModelRequest, 'messages'>;

const DECISION_SCHEMA: JsonSchema = {
  type: 'object',
  description: 'How sure you are of this call, from 0 to 1, and why, in one sentence.',
  properties: { confidence: { type: 'number', minimum: 0, maximum: 1 }, reason: { type: 'string' } },
  additionalProperties: false,
};

/** The tool's schema with the optional `decision` field that every call may carry. */
function withDecision(schema: JsonSchema): JsonSchema {
  const properties = (schema['properties'] ?? {}) as JsonSchema;
  return { ...schema, type: 'object', properties: { ...properties, decision: DECISION_SCHEMA } };
}

function delegateTool(agent: AgentSnapshot, agents: readonly AgentSnapshot[]): ToolSpec {
  const lines = agent.roster.map((name) => `- ${name}: ${agents.find((a) => a.name === name)?.description ?? ''}`);
  return {
    name: DELEGATE_TOOL,
    description: `Gives a task to a specialist and waits for the report. Several calls in one answer run in parallel.\n${lines.join('\n')}`,
    input_schema: withDecision({
      type: 'object',
      properties: {
        agent: { type: 'string', enum: [...agent.roster] },
        message: { type: 'string', description: 'The whole task: the specialist sees nothing else of this conversation.' },
      },
      required: ['agent', 'message'],
      additionalProperties: false,
    }),
  };
}

/** The frame of an agent's requests. */
export function promptFrame(agent: AgentSnapshot, agents: readonly AgentSnapshot[]): PromptFrame {
  const tools = agent.tools.map((tool) => ({
    name: tool.name,
    description: tool.description,
    input_schema: withDecision(tool.input_schema),
  }));
  if (agent.roster.length > 0) tools.push(delegateTool(agent, agents));
  return { model: agent.model, system: agent.system, tools, maxTokens: agent.max_tokens };
}

/**
 * A request as the model gets it. What was remembered stands before the first message, as a block of its own kind.
 * @param memory null for none
 */
export function renderRequest(frame: PromptFrame, messages: List<RequestMessage>, memory: MemoryBlock | null): ModelRequest {
  const rendered = messages.toArray();
  const first = rendered[0];
  if (memory !== null && first !== undefined) {
    rendered[0] = { role: 'user', content: [memory, ...first.content] };
  }
  return { ...frame, messages: rendered };
}

/** Asks for the summary that takes the place of a thread's messages. */
export const COMPACTION_PROMPT =
  'The conversation above no longer fits. Summarise it for yourself: what was asked, what was found out and done, with exact names, ids and figures, and what is left to do. Answer with the summary alone.';
