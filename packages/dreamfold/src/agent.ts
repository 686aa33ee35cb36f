import { checked, kindOf, optionsOf } from '@dreamfold/events';
import type { Model } from '@dreamfold/model';
import {
  agentWords,
  compileTeam,
  DefinitionName,
  ModelOrName,
  TokenCount,
  type AgentDefinition,
  type ToolDefinition,
} from '@dreamfold/runtime';
import { z } from 'zod';

export interface AgentOptions {
  /** 1 to 64 letters, digits, _ and -. */
  name: string;
  /** What it is good at: a lead chooses by this. */
  description?: string;
  /** The system prompt. */
  system: string;
  /** The name of a model, such as `claude-opus-5` or `scripted`, or a model itself. Default `scripted`. */
  model?: string | Model;
  tools?: readonly ToolDefinition[];
  /** Specialists that it may delegate to, 1 to 20; their teams nest. */
  team?: readonly AgentDefinition[];
  /** Tokens of one answer at most. Default 8,192. */
  maxTokens?: number;
  /** Tokens that the model takes in. Its thread is compacted at four fifths of it. Default 200,000. */
  contextWindow?: number;
  /** Of an agent that this one is made from, as in `agent({ ...desk, name: 'night_desk' })`: nobody chose its model. */
  standIn?: true;
}

/**
 * An agent: alone, a specialist of a team, or the lead of one.
 * @throws DreamfoldError invalid_team, delegation_cycle
 */
export function agent(options: AgentOptions): AgentDefinition {
  const given = checked(Options, options, {
    what: agentWords(options),
    code: 'invalid_team',
    at: 'team',
    remedy: "Correct the value. A whole agent: agent({ name: 'desk', system: 'Help.' }).",
  });
  const definition: AgentDefinition = {
    name: given.name,
    description: given.description ?? '',
    system: given.system,
    model: given.model ?? 'scripted',
    ...(given.model === undefined || (given.standIn === true && given.model === 'scripted') ? { standIn: true } : {}),
    tools: given.tools ?? [],
    team: given.team ?? [],
    maxTokens: given.maxTokens ?? 8192,
    contextWindow: given.contextWindow ?? 200_000,
  };
  compileTeam(definition);
  return definition;
}

/** What `tools` and `team` hold is looked at by `compileTeam`, which sees every agent with its place in the team. */
const Options = optionsOf<AgentOptions>({
  name: DefinitionName,
  description: z.string().optional(),
  system: z.string(),
  model: ModelOrName.optional(),
  tools: listOf<ToolDefinition>().optional(),
  team: listOf<AgentDefinition>().optional(),
  maxTokens: TokenCount.optional(),
  contextWindow: TokenCount.optional(),
  standIn: z.literal(true).optional(),
});

/** The list itself, not a copy: a team may be tied together after its agents are made. */
function listOf<T>(): z.ZodType<readonly T[]> {
  return z.custom<readonly T[]>(Array.isArray, { error: ({ input }) => `expected a list, received ${kindOf(input)}` });
}
