import { DreamfoldError, MAX_PRINCIPAL_CHARS, checkName, type SessionCreated } from '@dreamfold/events';

/** Whose request a session is. A bare name is only claimed, and by itself makes no quorum for a store that applies changes unasked. */
export interface Principal {
  id: string;
  /** True when you have checked that it is who it says: it has logged in, or you have looked it up yourself. */
  authenticated?: boolean;
}

/**
 * What `session.created` says of a principal.
 * @throws DreamfoldError invalid_argument, suspicious_unicode
 */
export function principalFields(principal: string | Principal = 'default'): Pick<SessionCreated, 'principal' | 'principal_authenticated'> {
  const { id, authenticated = false } = typeof principal === 'object' && principal !== null ? principal : { id: principal };
  checkName(id, { path: 'principal', maxChars: MAX_PRINCIPAL_CHARS });
  if (typeof authenticated !== 'boolean') {
    throw new DreamfoldError('invalid_argument', 'principal.authenticated is neither true nor false', {
      path: 'principal/authenticated',
      value: authenticated,
      remedy: 'Give true when you have checked who it is, or leave it out.',
    });
  }
  return authenticated ? { principal: id, principal_authenticated: true } : { principal: id };
}
