import type { EventData, EventType } from './catalogue.ts';
import type { NewEvent, WriteClass } from './envelope.ts';

/** What only the process that owns a session may write, under the epoch of its claim. */
const OWNER_EVENTS: ReadonlySet<EventType> = new Set<EventType>([
  'agent.message',
  'agent.thinking',
  'agent.thread_context_compacted',
  'agent.thread_message_received',
  'agent.thread_message_sent',
  'agent.tool_result',
  'agent.tool_use',
  'approval.stale',
  'cap.reached',
  'decision.recorded',
  'memory.given',
  'message.taken_up',
  'model.attempt_failed',
  'outcome.imported',
  'outcome.scored',
  'session.error',
  'session.status_idle',
  'session.status_running',
  'session.team_updated',
  'session.thread_created',
  'session.thread_status_idle',
  'session.thread_status_running',
  'session.usage',
  'span.model_request_end',
  'span.model_request_start',
  'span.outcome_evaluation_end',
  'span.outcome_evaluation_start',
  'tool.started',
]);

/** Who may write events of a type: the owner of the session, who claims it, or anyone. */
export function writeClassOf(type: EventType): WriteClass {
  if (type === 'session.claimed') return 'claim';
  return OWNER_EVENTS.has(type) ? 'owner' : 'open';
}

/**
 * An event that is about to be appended, in the newest version of its type. The compiler checks the payload against the catalogue; the log
 * checks it again, with its schema.
 * @param actor who says it: `user`, `system`, a thread's id, `person:ann`, …
 */
export function newEvent<T extends EventType>(type: T, actor: string, data: EventData[T]): NewEvent<T, EventData[T]> {
  return { type, data, class: writeClassOf(type), actor };
}
