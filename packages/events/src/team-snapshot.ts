import { z } from 'zod';

/** A JSON Schema object, as a model is shown it. */
export const JsonSchema = z.record(z.string(), z.unknown());
export type JsonSchema = z.infer<typeof JsonSchema>;

export const ToolPolicy = z.enum(['always_allow', 'always_ask', 'deny']);
export type ToolPolicy = z.infer<typeof ToolPolicy>;

/**
 * What running a tool twice does: `pure` nothing, `keyed` nothing as long as the idempotency key is the same,
 * `unsafe` something: it is never re-run after a crash.
 */
export const ToolEffect = z.enum(['pure', 'keyed', 'unsafe']);
export type ToolEffect = z.infer<typeof ToolEffect>;

export const ToolSnapshot = z.object({
  name: z.string(),
  description: z.string(),
  input_schema: JsonSchema,
  policy: ToolPolicy,
  effect: ToolEffect,
});
export type ToolSnapshot = z.infer<typeof ToolSnapshot>;

export const AgentSnapshot = z.object({
  name: z.string(),
  description: z.string(),
  model: z.string(),
  system: z.string(),
  tools: z.array(ToolSnapshot),
  /** Names of the agents that it may delegate to. */
  roster: z.array(z.string()),
  max_tokens: z.int().positive(),
  /** Tokens that the model takes in; the thread is compacted when it nears this. */
  context_window: z.int().positive(),
});
export type AgentSnapshot = z.infer<typeof AgentSnapshot>;

/** The team as it stood when the session began; enough to render every prompt without the code. */
export const TeamSnapshot = z.object({ lead: z.string(), agents: z.array(AgentSnapshot) });
export type TeamSnapshot = z.infer<typeof TeamSnapshot>;

/** Limits of a whole session, all its threads together. Checked before each call. */
export const Caps = z.object({
  /** Levels of delegation under the lead. */
  depth: z.int().nonnegative(),
  threads: z.int().positive(),
  turns: z.int().positive(),
  tool_calls: z.int().nonnegative(),
  tokens: z.int().positive(),
  cost_usd: z.number().nonnegative(),
  wall_time_ms: z.int().positive(),
  /** How often one thread may make the same call with the same input. */
  identical_calls: z.int().positive(),
});
export type Caps = z.infer<typeof Caps>;

/** A memory store as one session sees it, whatever happens to the store meanwhile. */
export const MemoryPin = z.object({ store: z.string(), version: z.int().nonnegative(), hash: z.string() });
export type MemoryPin = z.infer<typeof MemoryPin>;
