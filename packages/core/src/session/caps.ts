import { newEvent, type Caps, type ModelUsage, type NewEvent } from '@dreamfold/events';
import { totalTokens, type SessionState, type Usage } from './fold/state.ts';

export type ReachedCap = NonNullable<SessionState['capReached']>;

/** What a session had used, and what else was. */
export function addUsage(to: Usage, used: ModelUsage, costUsd: number | null): Usage {
  return { ...to, ...sumOfUsage(to, used), costUsd: sumOfCost(to.costUsd, costUsd) };
}

/** Tokens of both, kind by kind. */
export function sumOfUsage(a: ModelUsage, b: ModelUsage): ModelUsage {
  return {
    input_tokens: a.input_tokens + b.input_tokens,
    output_tokens: a.output_tokens + b.output_tokens,
    cache_creation_input_tokens: a.cache_creation_input_tokens + b.cache_creation_input_tokens,
    cache_read_input_tokens: a.cache_read_input_tokens + b.cache_read_input_tokens,
  };
}

/** A price that is not known, which is null, makes the whole cost unknown. */
export function sumOfCost(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}

/** How long a session has been running at the time `now` of an event, in milliseconds. A clock that jumps back takes nothing away. */
export function wallTimeMs({ activeMs, runningSince }: SessionState, now: number): number {
  return activeMs + (runningSince === null ? 0 : Math.max(0, now - runningSince));
}

/** When a session that runs reaches its cap wall_time_ms, on the clock of its events; null for one that does not run. */
export function deadlineOf({ caps, activeMs, runningSince }: SessionState): number | null {
  return runningSince === null ? null : runningSince + caps.wall_time_ms - activeMs;
}

/** The cap wall_time_ms, of a session whose deadline has passed at `now`. */
export function wallTimeCap(state: SessionState, now: number): ReachedCap {
  const limit = state.caps.wall_time_ms;
  return { cap: 'wall_time_ms', limit, value: Math.max(limit, wallTimeMs(state, now)) };
}

/** The first cap that leaves no room for another model call: a turn of an agent, an evaluation by a model, or one more attempt at either. */
export function reachedCap(state: SessionState, next: 'turn' | 'evaluation' | 'attempt'): ReachedCap | null {
  const { caps, usage } = state;
  const spent: [keyof Caps, number][] = [
    ['turns', next === 'turn' ? usage.modelCalls : 0],
    ['tokens', totalTokens(usage)],
    ['cost_usd', usage.costUsd ?? 0],
    ['wall_time_ms', wallTimeMs(state, state.now)],
  ];
  for (const [cap, value] of spent) {
    // A price of nothing never reaches a cap of nothing.
    if (value >= caps[cap] && value > 0) return { cap, limit: caps[cap], value };
  }
  return null;
}

/** Says that a cap stopped the session, unless one has been named already. */
export function capEvents(state: SessionState, actor: string, cap: ReachedCap | undefined): NewEvent[] {
  return cap === undefined || state.capReached !== null ? [] : [newEvent('cap.reached', actor, cap)];
}
