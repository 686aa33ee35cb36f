import type { Dreamfold } from 'dreamfold';
import { findByPrefix } from './find-by-prefix.ts';

/** The id of the one session that begins so, with or without `sesn_`. @throws DreamfoldError not_found, invalid_argument when several begin so */
export async function findSession(dreamfold: Dreamfold, prefix: string): Promise<string> {
  const sessions: { id: string }[] = [];
  for await (const id of dreamfold.sessions()) sessions.push({ id });
  const sought = { what: 'session', plural: 'sessions', idPrefix: 'sesn_', remedy: 'List them with `dreamfold sessions`.' };
  return findByPrefix(sessions, prefix, sought).id;
}
