import { DELEGATE_TOOL } from '@dreamfold/core';
import { ModelError, type Model, type ModelRequest, type ModelResponse, type ResponseBlock } from '@dreamfold/model';
import type { AgentDefinition, ToolContext, ToolDefinition } from '@dreamfold/runtime';
import type { Chance } from './chance.ts';
import type { SimulatedNode } from './simulated-node.ts';

/** What an agent is told to do, call by call; those with a `+` between them in one answer. */
export type Plan = readonly string[];

/** `find look`: a call that fails, and what agents do then, from which dreams learn. */
const STEPS = ['charge', 'launch', 'look', 'ask', 'hand_on', 'charge+look', 'launch+charge', 'find look', 'find look'] as const;

export function planOf(chance: Chance): Plan {
  return Array.from({ length: chance.count(0, 3) }, () => chance.pick(STEPS));
}

/** Longer than any world lasts. */
const NEVER_MS = 1e9;

/** A message that says what to do. */
export function messageOf(plan: Plan): string {
  return `do: ${plan.join(' ')}`;
}

/** A lead and a specialist whose model and tools live on a node. */
export function teamOn(node: SimulatedNode): AgentDefinition {
  const tools = [toolOn(node, 'charge', 'keyed'), toolOn(node, 'launch', 'unsafe'), toolOn(node, 'look', 'pure')];
  const model = modelOn(node);
  const agent = { description: '', system: '', model, maxTokens: 1000, contextWindow: 100_000 };
  const clerk: AgentDefinition = { ...agent, name: 'clerk', tools, team: [] };
  const ask: ToolDefinition = { ...toolOn(node, 'ask', 'pure'), policy: 'always_ask' };
  const find: ToolDefinition = { ...toolOn(node, 'find', 'pure'), run: notFound };
  return { ...agent, name: 'lead', tools: [...tools, ask, find], team: [clerk] };
}

function notFound(): never {
  throw new Error('The order is not here any more');
}

function toolOn(node: SimulatedNode, name: string, effect: ToolDefinition['effect']): ToolDefinition {
  const { chance, outside } = node.world;
  const run = async (input: unknown, context: ToolContext): Promise<string> => {
    const { step } = input as { step: number };
    // Longer than the tool may take, now and then.
    const takesMs = chance.happens(0.04) ? chance.between(20_000, 60_000) : chance.wait(800);
    await node.time.sleep(chance.between(0, takesMs));
    const done = effect === 'keyed' ? outside.keyed(step, context) : effect === 'unsafe' ? outside.unsafe(step, context) : 'seen';
    if (effect !== 'pure') node.say(`${context.sessionId} ${done}`);
    await node.time.sleep(takesMs / 2);
    return done;
  };
  const inputSchema = { type: 'object', properties: { step: { type: 'integer' } }, required: ['step'] } as const;
  return { name, description: '', inputSchema, parse: (input) => input, effect, policy: 'always_allow', timeoutMs: 30_000, run };
}

function modelOn(node: SimulatedNode): Model {
  const { chance } = node.world;
  return {
    respond: async (request, { signal }) => {
      const rate = chance.next();
      // Longer than a model may take, now and then.
      await node.time.sleep(rate < 0.01 ? NEVER_MS : rate < 0.08 ? chance.between(5_000, 120_000) : chance.wait(1_500), signal);
      if (chance.happens(0.06)) throw new ModelError('model_overloaded', 'The model is busy', { remedy: 'Try again.' });
      return answerTo(request);
    },
  };
}

/** Follows from the request alone: what it was told to do, less what has come back. */
export function answerTo({ messages }: Pick<ModelRequest, 'messages'>): ModelResponse {
  const blocks = messages.flatMap(({ content }) => content);
  const told = blocks.flatMap((block) => (block.type === 'text' ? [...block.text.matchAll(/do: ?([a-z_+ ]*)/g)] : []));
  const steps = told.flatMap(([, plan]) => plan!.split(' ').filter((step) => step !== ''));
  let left = blocks.filter(({ type }) => type === 'tool_result').length;
  let step = left;
  const usage = { input_tokens: 10, output_tokens: 5, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 };
  for (const calls of steps.map((names) => names.split('+'))) {
    if (left >= calls.length) left -= calls.length;
    else return { content: calls.map((name) => callOf(name, step++)), stopReason: 'tool_use', usage };
  }
  return { content: [{ type: 'text', text: `done after ${step} steps` }], stopReason: 'end_turn', usage };
}

function callOf(name: string, step: number): ResponseBlock {
  const id = `call_${step}`;
  if (name !== 'hand_on') return { type: 'tool_use', id, name, input: { step } };
  return { type: 'tool_use', id, name: DELEGATE_TOOL, input: { agent: 'clerk', message: `Number ${step}. do: charge launch` } };
}
