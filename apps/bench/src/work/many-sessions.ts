import { newEvent, streamOf, text, type NewEvent } from '@dreamfold/events';
import type { Log } from '@dreamfold/log';
import { DEFAULT_CAPS } from '@dreamfold/core';

/** Appends that are under way at once, so that many come to stand in one commit. */
const AT_ONCE = 1000;
const AGENT = {
  name: 'desk',
  description: '',
  model: 'scripted',
  system: 'Answer.',
  tools: [],
  roster: [],
  max_tokens: 1024,
  context_window: 200_000,
};
const CREATED = { principal: 'ann', team: { lead: 'desk', agents: [AGENT] }, caps: DEFAULT_CAPS, memory: [] };
const IDLE = { stop_reason: { type: 'end_turn' as const }, stop_details: null };

/** Puts sessions on a log that were asked one thing each, and answered it: as fast as the log takes them. */
export async function addSessions(log: Log, count: number): Promise<void> {
  for (let from = 0; from < count; from += AT_ONCE) {
    const ids = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, i) => `sesn_${String(from + i).padStart(7, '0')}`);
    await Promise.all(
      ids.map((id) => log.append({ stream: streamOf('session', id), id: `sevt_${id}`, expected: 0, epoch: 1, events: eventsOf(id) })),
    );
  }
}

function eventsOf(id: string): NewEvent[] {
  const thread = `sthr_${id}`;
  return [
    newEvent('session.created', 'user', CREATED),
    newEvent('session.claimed', 'system', { nonce: id }),
    newEvent('user.message', 'user', { content: text(`Where is the order ${id}?`) }),
    newEvent('message.taken_up', 'system', { message_ids: [`sevt_${id}-2`] }),
    newEvent('agent.message', thread, { content: text('On its way.') }),
    newEvent('session.status_idle', 'system', IDLE),
  ];
}
