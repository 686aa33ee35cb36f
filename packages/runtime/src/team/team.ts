import { DreamfoldError, type TeamSnapshot } from '@dreamfold/events';
import { DELEGATE_TOOL } from '@dreamfold/core';
import { checkAgent } from './definition-shapes.ts';
import type { AgentDefinition, ToolDefinition } from './definitions.ts';

/** A team that was checked, with the snapshot that goes on the log. */
export interface Team {
  snapshot: TeamSnapshot;
  agents: ReadonlyMap<string, AgentDefinition>;
}

const MAX_ROSTER = 20;

/**
 * Checks a team from its lead down.
 * @throws DreamfoldError invalid_team, delegation_cycle
 */
export function compileTeam(lead: AgentDefinition): Team {
  const agents = new Map<string, AgentDefinition>();
  visit(lead, [], agents);
  return {
    agents,
    snapshot: {
      lead: lead.name,
      agents: [...agents.values()].map((agent) => ({
        name: agent.name,
        description: agent.description,
        model: typeof agent.model === 'string' ? agent.model : 'custom',
        system: agent.system,
        tools: agent.tools.map((tool) => ({
          name: tool.name,
          description: tool.description,
          input_schema: tool.inputSchema,
          policy: tool.policy,
          effect: tool.effect,
        })),
        roster: agent.team.map((member) => member.name),
        max_tokens: agent.maxTokens,
        context_window: agent.contextWindow,
      })),
    },
  };
}

function visit(agent: AgentDefinition, path: readonly string[], agents: Map<string, AgentDefinition>): void {
  checkAgent(agent, path);
  if (path.includes(agent.name)) {
    throw new DreamfoldError('delegation_cycle', `The team goes in a circle: ${[...path, agent.name].join(' > ')}`, {
      path: `team/${[...path, agent.name].join('/')}`,
      value: agent.name,
      remedy: 'Take one of these delegations out: a specialist may not delegate to an agent above it.',
    });
  }
  const known = agents.get(agent.name);
  if (known === agent) return;
  if (known !== undefined) fail(agent, `two agents are called ${JSON.stringify(agent.name)}`, 'Give each agent a name of its own.');
  if (agent.team.length > MAX_ROSTER) {
    fail(agent, `${agent.team.length} specialists are more than ${MAX_ROSTER}`, 'Put a second level of leads between them.');
  }
  checkTools(agent, agent.tools);
  agents.set(agent.name, agent);
  for (const member of agent.team) visit(member, [...path, agent.name], agents);
}

function checkTools(agent: AgentDefinition, tools: readonly ToolDefinition[]): void {
  const names = new Set<string>();
  for (const tool of tools) {
    if (tool.name === DELEGATE_TOOL) fail(agent, `a tool may not be called ${DELEGATE_TOOL}`, 'Rename it: that is how a lead delegates.');
    if (names.has(tool.name))
      fail(agent, `two tools are called ${JSON.stringify(tool.name)}`, 'Give each tool of an agent a name of its own.');
    // Every call may carry a decision, which is taken out before the tool runs.
    const properties: unknown = tool.inputSchema['properties'];
    if (typeof properties === 'object' && properties !== null && 'decision' in properties) {
      fail(
        agent,
        `the input of the tool ${tool.name} has a field "decision"`,
        'Rename it: that field holds the confidence and reason of the call.',
      );
    }
    names.add(tool.name);
  }
}

function fail(agent: AgentDefinition, what: string, remedy: string): never {
  throw new DreamfoldError('invalid_team', `Agent ${agent.name}: ${what}`, { path: `team/${agent.name}`, value: agent.name, remedy });
}

/** The tools whose definition or policy differs between two snapshots of a team. */
export function changedTools(before: TeamSnapshot, after: TeamSnapshot): { agent: string; tool: string }[] {
  const key = (team: TeamSnapshot): Map<string, string> =>
    new Map(team.agents.flatMap((a) => a.tools.map((t) => [JSON.stringify([a.name, t.name]), JSON.stringify(t)] as const)));
  const now = key(after);
  return [...key(before)]
    .filter(([name, tool]) => now.get(name) !== tool)
    .map(([name]) => {
      const [agent, tool] = JSON.parse(name) as [string, string];
      return { agent, tool };
    });
}
