import { z } from 'zod';
import { checked, functionOf, kindOf, optionsOf, ToolEffect, ToolPolicy, withMethods } from '@dreamfold/events';
import type { Principal } from '@dreamfold/core';
import type { Model } from '@dreamfold/model';
import type { AgentDefinition, RubricDefinition, ToolDefinition } from './definitions.ts';

/** What `agent()`, `tool()` and `rubric()` take and make. A definition that was put together by hand is held against it too. */

const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** The name of an agent or a tool. */
export const DefinitionName = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, {
  error: ({ input }) => `${kindOf(input)} is no name: use 1 to 64 letters, digits, _ and -`,
});
export const TimeoutMs = z.int().min(1).max(MAX_TIMEOUT_MS);
export const TokenCount = z.int().min(1);
export const AnyModel = withMethods<Model>('a model such as scripted()', 'respond');
export const ModelOrName = z.custom<string | Model>(
  (value) => (typeof value === 'string' ? value !== '' : AnyModel.safeParse(value).success),
  { error: ({ input }) => `expected the name of a model, or a model such as scripted(), received ${kindOf(input)}` },
);
export const PassScore = z.number().min(0).max(1);
export const MaxIterations = z.int().min(1).max(20);

const Tool = z.looseObject({
  name: DefinitionName,
  description: z.string(),
  inputSchema: z.looseObject({}),
  parse: functionOf<ToolDefinition['parse']>(),
  effect: ToolEffect,
  policy: ToolPolicy,
  timeoutMs: TimeoutMs,
  run: functionOf<ToolDefinition['run']>(),
});

const Agent = z.looseObject({
  name: DefinitionName,
  description: z.string(),
  system: z.string(),
  model: ModelOrName,
  tools: z.array(z.unknown()),
  team: z.array(z.unknown()),
  maxTokens: TokenCount,
  contextWindow: TokenCount,
});

const Grader = z.looseObject({ kind: z.enum(['code', 'model', 'person']) });
const Criterion = z.looseObject({ id: z.string(), ask: z.string(), weight: z.number(), grader: Grader });

/** What `rubric()` makes. */
export const RubricShape = z.looseObject({
  name: z.string(),
  text: z.string(),
  criteria: z.array(Criterion).min(1),
  passScore: PassScore,
  maxIterations: MaxIterations,
}) as unknown as z.ZodType<RubricDefinition>;

/** Whose request it is: a name, which is only claimed, or one that somebody has checked. What may be a name is said where a session begins. */
export const PrincipalShape: z.ZodType<string | Principal> = z.union([
  z.string(),
  optionsOf<Principal>({ id: z.string(), authenticated: z.boolean().optional() }),
]);

/**
 * One agent with its tools; its team is looked at by itself.
 * @param above the names of the agents above it
 * @throws DreamfoldError invalid_team
 */
export function checkAgent(agent: unknown, above: readonly string[]): asserts agent is AgentDefinition {
  const at = ['team', ...above].join('/');
  const remedy = 'Make each agent with agent({ … }), and correct what it was given.';
  const { name, tools } = checked(Agent, agent, { what: agentWords(agent), code: 'invalid_team', at, remedy });
  for (const [i, tool] of tools.entries()) {
    checked(Tool, tool, {
      what: `${toolWords(tool, i)} of the agent ${name}`,
      code: 'invalid_team',
      at: [at, name, 'tools', String(i)].join('/'),
      remedy: 'Make each tool with tool({ … }), and correct what it was given.',
    });
  }
}

/** How an error calls what somebody gives to `agent`. */
export function agentWords(given: unknown): string {
  const name = nameOf(given);
  return name === null ? 'An agent' : `The agent ${name}`;
}

/** How an error calls what somebody gives to `tool`. @param index its place, for one without a name */
export function toolWords(given: unknown, index?: number): string {
  const name = nameOf(given);
  return name !== null ? `The tool ${name}` : index === undefined ? 'A tool' : `Tool ${index + 1}`;
}

function nameOf(given: unknown): string | null {
  try {
    const { name } = given as { name?: unknown };
    return DefinitionName.safeParse(name).success ? (name as string) : null;
  } catch {
    return null;
  }
}
