import type { LogEvent } from '@dreamfold/events';
import type { RequestMessage, SessionState, Thread } from '@dreamfold/core';

/**
 * What a model would refuse in the histories of a session at rest, as sentences; [] when there is nothing.
 * Every call must be answered by exactly one result, at the beginning of the very next user message.
 */
export function brokenHistory(state: SessionState): string[] {
  return state.threads.flatMap((thread) => brokenThread(thread).map((problem) => `${thread.agent}: ${problem}`));
}

function brokenThread(thread: Thread): string[] {
  const messages: RequestMessage[] = thread.messages.toArray();
  if (thread.pending.length > 0) messages.push({ role: 'user', content: thread.pending });
  const problems: string[] = thread.draft.length > 0 ? ['a draft is left'] : [];
  let open: string[] = [];
  for (const { role, content } of messages) {
    const results = content.flatMap((block) => (block.type === 'tool_result' ? [block.tool_use_id] : []));
    if (open.join() !== results.join()) problems.push(`the calls ${open.join()} were answered by ${results.join()}`);
    if (role === 'user' && content.slice(0, results.length).some((block) => block.type !== 'tool_result'))
      problems.push('a result does not stand first');
    open = content.flatMap((block) => (block.type === 'tool_use' ? [block.id] : []));
  }
  if (open.length > 0) problems.push(`the calls ${open.join()} have no answer`);
  return problems;
}

/** The calls of a session that have no result, or more than one. */
export function orphans(events: readonly LogEvent[]): string[] {
  const results = new Map<string, number>();
  for (const { type, data } of events) {
    const answered =
      type === 'agent.tool_result'
        ? (data as { tool_use_id: string }).tool_use_id
        : type === 'agent.thread_message_received'
          ? (data as { df_tool_use_id: string }).df_tool_use_id
          : null;
    if (answered !== null) results.set(answered, (results.get(answered) ?? 0) + 1);
  }
  return events
    .filter(({ type, id }) => type === 'agent.tool_use' && results.get(id) !== 1)
    .map(({ id }) => `${id}: ${results.get(id) ?? 0} results`);
}

/** All events of an async source of them. */
export async function collect(source: AsyncIterable<LogEvent>): Promise<LogEvent[]> {
  const events: LogEvent[] = [];
  for await (const event of source) events.push(event);
  return events;
}
