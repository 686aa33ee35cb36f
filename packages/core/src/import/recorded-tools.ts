import type { ToolSnapshot } from '@dreamfold/events';
import type { Turn } from './transcript.ts';

/** A tool of which only its use is known. It is `unsafe`: nothing says that it may be run twice. */
export function recordedTool(name: string): ToolSnapshot {
  return { name, description: '', input_schema: { type: 'object' }, policy: 'always_allow', effect: 'unsafe' };
}

/** The tools that are called in these turns, in the order of their first call. */
export function toolsCalled(turns: Iterable<Turn>): ToolSnapshot[] {
  const names = new Set<string>();
  for (const turn of turns) if (turn.role === 'assistant') for (const call of turn.calls) names.add(call.name);
  return [...names].map(recordedTool);
}
