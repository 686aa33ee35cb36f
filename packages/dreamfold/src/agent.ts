import { DreamfoldError } from '@dreamfold/events';
import type { Model } from '@dreamfold/model';
import { compileTeam, type AgentDefinition, type ToolDefinition } from '@dreamfold/runtime';

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
}

/**
 * An agent: alone, a specialist of a team, or the lead of one.
 * @throws DreamfoldError invalid_team, delegation_cycle
 */
export function agent(options: AgentOptions): AgentDefinition {
  if (typeof options !== 'object' || options === null) {
    throw new DreamfoldError('invalid_team', `agent() was given ${String(options)}`, {
      path: 'team',
      value: options,
      remedy: "Give it its options: agent({ name: 'desk', system: 'Help.' }).",
    });
  }
  const definition: AgentDefinition = {
    name: options.name,
    description: options.description ?? '',
    system: options.system,
    model: options.model ?? 'scripted',
    ...(options.model === undefined ? { standIn: true } : {}),
    tools: options.tools ?? [],
    team: options.team ?? [],
    maxTokens: positive(options, 'maxTokens', 8192),
    contextWindow: positive(options, 'contextWindow', 200_000),
  };
  if (typeof definition.system !== 'string') {
    throw new DreamfoldError('invalid_team', `Agent ${definition.name} has no system prompt`, {
      path: `team/${definition.name}/system`,
      value: definition.system,
      remedy: 'Give it `system`: who it is and how it works.',
    });
  }
  compileTeam(definition);
  return definition;
}

function positive(options: AgentOptions, field: 'maxTokens' | 'contextWindow', fallback: number): number {
  const value = options[field] ?? fallback;
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new DreamfoldError('invalid_team', `Agent ${options.name}: ${field} is ${value}`, {
    path: `team/${options.name}/${field}`,
    value,
    remedy: 'Give a whole number of tokens above 0.',
  });
}
