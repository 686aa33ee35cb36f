import type { AgentSnapshot, ToolSnapshot } from '@dreamfold/events';
import { utf8Bytes } from '../cut-text.ts';
import { toolsCalled } from './recorded-tools.ts';
import { rowError } from '../row-error.ts';
import type { Turn } from '../transcript.ts';

/** As many threads as a session may have. */
const MAX_AGENTS = 25;
export const MAX_FRAME_BYTES = 100 * 1024;

export interface RecordedAgents {
  /** What the one who leads is called, where the row says so. */
  name?: string;
  model?: string;
  system: string;
  /** All tools that are declared or called. */
  tools: readonly ToolSnapshot[];
}

/** The names of the agents that speak, in the order of their first word. */
function namesIn(turns: readonly Turn[]): string[] {
  return [...new Set(turns.flatMap((turn) => (turn.role === 'assistant' && turn.agent !== undefined ? [turn.agent] : [])))];
}

/**
 * Who leads the recorded agents: whom the row names, or who speaks without a name; where everybody has one, who speaks first.
 * @param fallback for an agent that nobody has named
 */
function leadOf(turns: readonly Turn[], { name }: RecordedAgents, fallback: string): string {
  const allNamed = turns.every((turn) => turn.role !== 'assistant' || turn.agent !== undefined);
  return name ?? (allNamed ? namesIn(turns)[0] : undefined) ?? fallback;
}

/**
 * The agents of a recording as a team: a lead, and one specialist for each other name. Each has the tools that it calls; the lead has
 * those as well that are declared and that nobody calls.
 * @throws DreamfoldError invalid_import for more agents than a session has threads, and for tools that are too large
 */
export function recordedTeam(
  turns: readonly Turn[],
  agents: RecordedAgents,
  of: { at: string; fallback: string; model: string },
): { lead: string; agents: AgentSnapshot[] } {
  const lead = leadOf(turns, agents, of.fallback);
  const specialists = namesIn(turns).filter((name) => name !== lead);
  if (specialists.length >= MAX_AGENTS) {
    throw rowError(of.at, `more than ${MAX_AGENTS} agents speak, by their names`, {
      value: specialists.length + 1,
      remedy: 'Give agents that do the same one name.',
    });
  }
  const byName = new Map(agents.tools.map((tool) => [tool.name, tool]));
  const said = turns.filter((turn) => turn.role === 'assistant');
  const saidBy = Map.groupBy(said, (turn) => turn.agent ?? lead);
  const calledBy = (name: string): ToolSnapshot[] => toolsCalled(saidBy.get(name) ?? []).map((tool) => byName.get(tool.name)!);
  const elsewhere = new Set(specialists.flatMap(calledBy));
  const own = new Set(calledBy(lead));
  const leadTools = agents.tools.filter((tool) => own.has(tool) || !elsewhere.has(tool));
  const snapshot = (name: string, tools: ToolSnapshot[]): AgentSnapshot => ({
    ...{ name, description: '', model: agents.model ?? of.model, system: '', tools, roster: [] },
    ...{ max_tokens: 4096, context_window: 200_000 },
  });
  const team = [
    { ...snapshot(lead, leadTools), system: agents.system, roster: specialists },
    ...specialists.map((name) => snapshot(name, calledBy(name))),
  ];
  if (utf8Bytes(JSON.stringify(team.map(({ tools }) => tools))) > MAX_FRAME_BYTES) {
    throw rowError(of.at, `the tools take more than ${MAX_FRAME_BYTES} bytes`, {
      remedy: 'Shorten the descriptions and schemas of the tools.',
    });
  }
  return { lead, agents: team };
}
