import { DreamfoldError, streamOf, type LogEvent } from '@dreamfold/events';
import { evolveSession, initialSession, type SessionState } from '@dreamfold/core';
import { fold, type Log } from '@dreamfold/log';

/**
 * Reads a session from its log.
 * @param options `to` is the last seq to fold, default the newest; `onEvent` is shown each event on the way
 * @throws DreamfoldError not_found
 */
export async function loadSession(
  log: Log,
  id: string,
  { to, onEvent }: { to?: number | undefined; onEvent?: (event: LogEvent) => void } = {},
): Promise<SessionState> {
  const state = await fold(log, streamOf('session', id), {
    initial: initialSession(id),
    evolve: (before, event) => {
      onEvent?.(event);
      return evolveSession(before, event);
    },
    ...(to === undefined ? {} : { to }),
  });
  if (state.seq > 0) return state;
  throw noSession(id);
}

/** The error not_found for a session of which the log has no event. */
export function noSession(id: string): DreamfoldError {
  return new DreamfoldError('not_found', `There is no session ${id}`, {
    path: 'session',
    value: id,
    remedy: 'List them with `dreamfold sessions`.',
  });
}
