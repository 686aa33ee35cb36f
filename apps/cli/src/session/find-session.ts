import type { Dreamfold } from 'dreamfold';
import { findByPrefix, MAX_SHOWN, SESSIONS, withPrefix } from './find-by-prefix.ts';

/** The id of the one session that begins so, with or without `sesn_`. @throws DreamfoldError not_found, invalid_argument when several begin so */
export async function findSession(dreamfold: Dreamfold, given: string): Promise<string> {
  // One more than are shown, to say that there are more.
  const ids = await dreamfold.findSessions(withPrefix(given, SESSIONS), MAX_SHOWN + 1);
  return findByPrefix(
    ids.map((id) => ({ id })),
    given,
    SESSIONS,
  ).id;
}
