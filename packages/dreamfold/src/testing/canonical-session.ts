import type { RequestBlock, SessionState, Thread } from '@dreamfold/core';

/**
 * What a session comes to, however often it was interrupted on the way: threads with their messages, outcome, and counts of calls. Ids
 * are derived from causes, which a restart changes, so they are numbered in the order in which they stand here. Attempts and usage are
 * left out: they show the calls that a crash repeated. The result of a call that is in `open` is left open.
 */
export function canonicalSession(state: SessionState, open: (toolName: string) => boolean): string {
  const { status, stopReason, outcome, usage, queue, error } = state;
  const attempts = outcome?.attempts.map(({ iteration, text, score, criteria }) => ({ iteration, text, score, criteria }));
  const threads = state.threads.map((thread) => canonicalThread(thread, open)).toSorted((a, b) => (a.agent < b.agent ? -1 : 1));
  const { modelCalls, toolCalls } = usage;
  const result = outcome === null ? null : { result: outcome.result, iteration: outcome.iteration, attempts };
  return numbered(JSON.stringify({ status, stopReason, queue, error, modelCalls, toolCalls, result, threads }));
}

function canonicalThread(
  thread: Thread,
  open: (toolName: string) => boolean,
): { agent: string; depth: number; running: boolean; messages: unknown[] } {
  const openIds = new Set<string>();
  const block = (b: RequestBlock): RequestBlock => {
    if (b.type === 'tool_use' && open(b.name)) openIds.add(b.id);
    return b.type === 'tool_result' && openIds.has(b.tool_use_id) ? { ...b, content: '*', is_error: false } : b;
  };
  const messages = thread.messages.toArray().map(({ role, content }) => ({ role, content: content.map(block) }));
  return { agent: thread.agent, depth: thread.depth, running: thread.running, messages: [...messages, thread.pending.map(block)] };
}

function numbered(text: string): string {
  const ids = new Map<string, string>();
  return text.replaceAll(/\b(?:sevt|sthr)_[A-Za-z0-9]+(?:-\d+)?/g, (id) => {
    if (!ids.has(id)) ids.set(id, `id${ids.size + 1}`);
    return ids.get(id)!;
  });
}
