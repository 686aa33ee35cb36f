import type { EventType, LogEvent } from '@dreamfold/events';
import { NO_MEMORY } from '../memory/prompt/select.ts';
import { decideSession, type DecideContext } from './decide.ts';
import type { SessionState } from './fold/state.ts';

/** What people and programs say to a session, and it may have to act on. */
const ASKING: ReadonlySet<string> = new Set<EventType>([
  'user.message',
  'user.define_outcome',
  'user.tool_confirmation',
  'user.interrupt',
  'outcome.judged',
]);

/** Whether an event asks its session for something. */
export function isRequest({ type }: LogEvent): boolean {
  return ASKING.has(type);
}

/**
 * Whether a session is at rest after one of its events: nobody has to run it, though it may wait for a person.
 * @returns null when the event alone says nothing of that
 */
export function isAtRestAfter(event: LogEvent): boolean | null {
  if (event.type === 'session.status_idle') return true;
  return event.type === 'session.status_running' || isRequest(event) ? false : null;
}

/** Whether whoever wrote an event runs its session from there on. */
export function isTakingUp({ type }: LogEvent): boolean {
  return type === 'session.claimed' || type === 'session.status_running';
}

/** Whether somebody asks something of a session that nobody has taken up. @param newest its newest events, which may be all, oldest first */
export function isUntaken(newest: readonly LogEvent[]): boolean {
  const asked = newest.findLastIndex(isRequest);
  const said = newest.slice(0, asked).findLast((event) => isTakingUp(event) || isAtRestAfter(event) === true);
  const isAtRest = said === undefined ? newest[0]?.seq === 1 : isAtRestAfter(said) === true;
  return asked >= 0 && isAtRest && !newest.slice(asked).some(isTakingUp);
}

/** What is decided is not looked at, only whether anything is. */
const ANYTHING: DecideContext = {
  sha256: () => '',
  checkInput: () => ({ fits: true }),
  memoryFor: () => NO_MEMORY,
  requestDigest: () => '',
};

/** Whether whoever runs the session has anything to do: it is under way, or was asked for something. Never for a record or for one that is newer than this code. */
export function hasSomethingToDo(state: SessionState): boolean {
  if (!state.exists || state.imported !== null || state.suspended !== null) return false;
  return state.status === 'running' || decideSession(state, ANYTHING).length > 0;
}
