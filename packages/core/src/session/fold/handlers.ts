import { text, type FoldHandlers, type ModelUsage } from '@dreamfold/events';
import { addUsage } from '../caps.ts';
import { tellChanges } from './input-changes.ts';
import type { ResultBlock } from '../prompt.ts';
import { addPending, type CallResult } from './request-blocks.ts';
import type { Call, SessionState, Thread } from './state.ts';

/** A handler's context is the state without the event; its `state` has the event's seq and time already. */
export type Handlers = FoldHandlers<SessionState, SessionState>;

/** The state with one thread changed; the same state when it has no such thread. */
export function withThread(state: SessionState, id: string, change: (thread: Thread) => Thread): SessionState {
  const index = state.threads.findIndex((thread) => thread.id === id);
  if (index < 0) return state;
  const threads = state.threads.slice();
  threads[index] = change(state.threads[index] as Thread);
  return { ...state, threads };
}

/** The state with one call changed, in whichever thread; the same state when there is no such call. */
export function withCall(state: SessionState, callId: string, change: (call: Call) => Call): SessionState {
  const thread = state.threads.find((t) => t.calls.some((call) => call.id === callId));
  if (thread === undefined) return state;
  return withThread(state, thread.id, (t) => ({ ...t, calls: t.calls.map((call) => (call.id === callId ? change(call) : call)) }));
}

/**
 * Closes a call; when it was the last one open, the results go to the model in the order of the calls. While the answer is still being
 * recorded, others may follow.
 */
export function closeCall(state: SessionState, callId: string, result: CallResult): SessionState {
  const thread = state.threads.find((t) => t.calls.some((call) => call.id === callId && call.status !== 'closed'));
  if (thread === undefined) return state;
  const calls = thread.calls.map((call) => (call.id === callId ? { ...call, status: 'closed' as const, result } : call));
  return withThread(state, thread.id, (t) => (t.request === null ? withResults({ ...t, calls }) : { ...t, calls }));
}

/** The thread with its results, when all of its calls have one. */
export function withResults(thread: Thread): Thread {
  const { calls } = thread;
  return calls.length > 0 && calls.every((call) => call.status === 'closed') ? addPending(thread, resultBlocks(calls)) : thread;
}

function resultBlocks(calls: readonly Call[]): ResultBlock[] {
  return calls.map((call) => {
    const { content = '', blocks, isError = false } = call.result ?? {};
    const said = wordsBefore(call);
    return {
      type: 'tool_result',
      tool_use_id: call.id,
      content: `${said}${content}`,
      ...(blocks === undefined ? {} : { blocks: said === '' ? blocks : [...text(said), ...blocks] }),
      is_error: isError,
    };
  });
}

/** A model whose input a person changed has to know, or it takes the result for an answer to what it asked. */
function wordsBefore({ before, input }: Call): string {
  return before === null ? '' : `${tellChanges(before.input, input)}\n`;
}

/** The thread and everything under it. */
export function subtree(threads: readonly Pick<Thread, 'id' | 'parent'>[], rootId: string): Set<string> {
  const ids = new Set([rootId]);
  // Children stand after their parents, so one pass finds all of them.
  for (const thread of threads) if (thread.parent !== null && ids.has(thread.parent)) ids.add(thread.id);
  return ids;
}

/** @param costUsd null when it is not known, left out when it was nothing */
export function withUsage(state: SessionState, used: ModelUsage, costUsd: number | null = 0): SessionState {
  return { ...state, usage: addUsage(state.usage, used, costUsd) };
}
