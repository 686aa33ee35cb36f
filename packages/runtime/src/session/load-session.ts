import { DreamfoldError, streamOf } from '@dreamfold/events';
import { evolveSession, initialSession, type SessionState } from '@dreamfold/core';
import { fold, type Log } from '@dreamfold/log';

/**
 * Reads a session from its log.
 * @param to the last seq to fold, default the newest
 * @throws DreamfoldError not_found
 */
export async function loadSession(log: Log, id: string, to?: number): Promise<SessionState> {
  const state = await fold(log, streamOf('session', id), {
    initial: initialSession(id),
    evolve: evolveSession,
    ...(to === undefined ? {} : { to }),
  });
  if (state.seq > 0) return state;
  throw noSession(id);
}

export function noSession(id: string): DreamfoldError {
  return new DreamfoldError('not_found', `There is no session ${id}`, {
    path: 'session',
    value: id,
    remedy: 'List them with `dreamfold sessions`.',
  });
}
