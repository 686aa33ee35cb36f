import type { CriterionScore, JsonSchema, ToolEffect, ToolPolicy } from '@dreamfold/events';
import type { Model } from '@dreamfold/model';

/** What a tool is told about the call. */
export interface ToolContext {
  /** The same for every attempt at this call, also after a crash. */
  idempotencyKey: string;
  /** Aborts on an interrupt and at the tool's time-out. */
  signal: AbortSignal;
  sessionId: string;
  threadId: string;
  agent: string;
  principal: string;
}

export interface ToolDefinition {
  name: string;
  description: string;
  inputSchema: JsonSchema;
  /** @throws DreamfoldError invalid_tool_input */
  parse(input: unknown): unknown;
  effect: ToolEffect;
  policy: ToolPolicy;
  timeoutMs: number;
  /** Returns text, or anything that JSON can hold. */
  run(input: unknown, context: ToolContext): unknown;
}

export interface AgentDefinition {
  name: string;
  description: string;
  system: string;
  /** A model, or the name of one. */
  model: string | Model;
  /** Nobody chose the model: the scripted one stands in for it. */
  standIn?: true;
  tools: readonly ToolDefinition[];
  /** The specialists that it may delegate to. */
  team: readonly AgentDefinition[];
  maxTokens: number;
  contextWindow: number;
}

/** What a code grader sees. */
export interface AttemptView {
  task: string;
  text: string;
  iteration: number;
  signal: AbortSignal;
}

export type CodeVerdict = boolean | number | { score: number; reason: string };

export type GraderDefinition =
  | { kind: 'code'; name: string; grade: (attempt: AttemptView) => CodeVerdict | Promise<CodeVerdict> }
  | { kind: 'model'; model: string | Model }
  | { kind: 'person' };

export interface CriterionDefinition {
  id: string;
  ask: string;
  weight: number;
  grader: GraderDefinition;
}

export interface RubricDefinition {
  name: string;
  /** Words for the models that work and grade: what a good result is. */
  text: string;
  criteria: readonly CriterionDefinition[];
  /** From 0 to 1. */
  passScore: number;
  maxIterations: number;
}

/** The score that a code grader's verdict stands for. */
export function scoreOf(criterion: CriterionDefinition, verdict: CodeVerdict): CriterionScore {
  const grader = criterion.grader.kind === 'code' ? `code:${criterion.grader.name}` : criterion.grader.kind;
  if (typeof verdict === 'boolean')
    return { id: criterion.id, score: verdict ? 1 : 0, reason: verdict ? 'holds' : 'does not hold', grader };
  if (typeof verdict === 'number') return { id: criterion.id, score: verdict, reason: `scored ${verdict}`, grader };
  return { id: criterion.id, score: verdict.score, reason: verdict.reason, grader };
}
