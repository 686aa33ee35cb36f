import { checkPayload, type NewEvent } from '@dreamfold/events';
import type { MemoryTools } from '../memory/review/commands.ts';
import { createStore, writeMemory } from '../memory/review/commands.ts';
import { evolveMemory, initialMemory, type MemoryState } from '../memory/review/state.ts';

const ENVELOPE = { position: 1, stream: 'memory/memstore_1', seq: 1, id: 'e', v: 1, causation: null, correlation: null, hash: '' };

/** Checks and folds events as the log would give them back. @param time of the append, milliseconds since 1970 */
export function evolveNew(state: MemoryState, events: readonly NewEvent[], time = 0): MemoryState {
  return events.reduce((s, { type, data, actor }) => {
    checkPayload(type, 1, data);
    return evolveMemory(s, { ...ENVELOPE, time, type, actor, data: JSON.parse(JSON.stringify(data)) as unknown });
  }, state);
}

/** A store without memories. */
export function emptyStore(approval: 'manual' | 'auto' = 'manual'): MemoryState {
  return evolveNew(initialMemory, createStore(initialMemory, { name: 'desk', description: '', approval, by: 'person:ann' }));
}

/** Writes as person:ann, at the second that is the version's number. */
export function written(state: MemoryState, operations: unknown, tools: MemoryTools): MemoryState {
  const version = state.version + 1;
  const input = { patchId: `w${version}`, operations, reason: `reason ${version}`, author: 'person:ann' };
  return evolveNew(state, writeMemory(state, input, tools), version * 1000);
}
