import { NO_USAGE, sumOfCost, sumOfUsage } from '@dreamfold/core';
import { foldWith, type ModelUsage } from '@dreamfold/events';

/** What was spent. */
export interface Cost {
  modelCalls: number;
  toolCalls: number;
  usage: ModelUsage;
  /** null when a model has no price. */
  costUsd: number | null;
}

/** What a session has spent, by agent. Plain JSON. */
export interface CostsState {
  /** Agents by the ids of their threads; the lead's is the rest. */
  threads: Readonly<Record<string, string>>;
  lead: string;
  agents: Readonly<Record<string, Cost>>;
  /** What the models that grade have used. */
  graders: Cost;
}

/** The actor of what graders do. */
const GRADER = 'grader';
const NOTHING: Cost = { modelCalls: 0, toolCalls: 0, usage: NO_USAGE, costUsd: 0 };

/** Before the first event. */
export const NO_COSTS: CostsState = { threads: {}, lead: '', agents: {}, graders: NOTHING };

/** Two costs together. */
export function sumOfCosts(a: Cost, b: Cost): Cost {
  return {
    modelCalls: a.modelCalls + b.modelCalls,
    toolCalls: a.toolCalls + b.toolCalls,
    usage: sumOfUsage(a.usage, b.usage),
    costUsd: sumOfCost(a.costUsd, b.costUsd),
  };
}

function spent(state: CostsState, actor: string, cost: Partial<Cost>): CostsState {
  if (actor === GRADER) return { ...state, graders: sumOfCosts(state.graders, { ...NOTHING, ...cost }) };
  const agent = state.threads[actor] ?? state.lead;
  const before = Object.hasOwn(state.agents, agent) ? state.agents[agent]! : NOTHING;
  return { ...state, agents: { ...state.agents, [agent]: sumOfCosts(before, { ...NOTHING, ...cost }) } };
}

/** A price that is left out is nothing; null is one that nobody knows. */
function orNothing(costUsd: number | null | undefined): number | null {
  return costUsd === undefined ? 0 : costUsd;
}

/** What a session has cost after one more of its events. */
export const evolveCosts = foldWith<CostsState>({
  'session.created': (state, { data }) => ({ ...state, lead: data.team.lead }),
  'session.thread_created': (state, { data }) => ({ ...state, threads: { ...state.threads, [data.session_thread_id]: data.agent_name } }),
  'span.model_request_start': (state, { actor }) => spent(state, actor, { modelCalls: 1 }),
  'span.model_request_end': (state, { actor, data }) =>
    spent(state, actor, { usage: data.model_usage, costUsd: orNothing(data.df_cost_usd) }),
  'model.attempt_failed': (state, { actor, data }) =>
    data.model_usage === undefined ? state : spent(state, actor, { usage: data.model_usage, costUsd: orNothing(data.cost_usd) }),
  'span.outcome_evaluation_end': (state, { data }) => spent(state, GRADER, { usage: data.usage, costUsd: orNothing(data.df_cost_usd) }),
  'agent.tool_use': (state, { actor }) => spent(state, actor, { toolCalls: 1 }),
});
