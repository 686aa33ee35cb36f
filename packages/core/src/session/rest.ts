import { knownEvent, type EventType, type LogEvent } from '@dreamfold/events';
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

/**
 * Where a session stands: `asked` for something that nobody may have begun with, `running`, `waiting` for a person or for whoever has its
 * custom tools, or `ended`.
 */
export type SessionRest = 'asked' | 'running' | 'waiting' | 'ended';

/**
 * What an event says of where its session stands. One that rests and no longer says why, because that was erased or is newer than this
 * code, is `waiting`: nobody has to run it, and it is not known to have ended.
 * @returns null when the event alone says nothing of that
 */
export function restAfter(event: LogEvent): SessionRest | null {
  if (ASKING.has(event.type)) return 'asked';
  if (event.type === 'session.status_running') return 'running';
  if (event.type !== 'session.status_idle') return null;
  const known = knownEvent(event);
  const hasEnded = known?.type === 'session.status_idle' && known.data !== null && known.data.stop_reason.type !== 'requires_action';
  return hasEnded ? 'ended' : 'waiting';
}

/**
 * Whether a session has ended, after one of its events. What is asked of it afterwards takes nothing back: nobody may ever begin with that.
 * @returns null when the event says nothing of that
 */
export function hasEndedAfter(event: LogEvent): boolean | null {
  const rest = restAfter(event);
  return rest === null || rest === 'asked' ? null : rest === 'ended';
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
