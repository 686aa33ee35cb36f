import { DreamfoldError } from 'dreamfold';

/** So many of the ids that begin alike are shown. */
export const MAX_SHOWN = 5;

export interface Sought {
  /** What it is called: `patch`, `dream`. */
  what: string;
  plural: string;
  /** Of its ids, such as `patch_`. */
  idPrefix: string;
  /** Where to see them. */
  remedy: string;
}

export const SESSIONS: Sought = { what: 'session', plural: 'sessions', idPrefix: 'sesn_', remedy: 'List them with `dreamfold sessions`.' };

/** What a person gives of an id, with the prefix of its kind. */
export function withPrefix(given: string, { idPrefix }: Pick<Sought, 'idPrefix'>): string {
  return given.startsWith(idPrefix) ? given : `${idPrefix}${given}`;
}

/**
 * The one item whose id begins so, with or without the prefix of its kind.
 * @throws DreamfoldError not_found, invalid_argument when several begin so
 */
export function findByPrefix<T extends { id: string }>(items: readonly T[], given: string, sought: Sought): T {
  const { what, plural, remedy } = sought;
  const wanted = withPrefix(given, sought);
  const matches = items.filter(({ id }) => given !== '' && id.startsWith(wanted));
  const found = matches.find(({ id }) => id === wanted) ?? (matches.length === 1 ? matches[0] : undefined);
  if (found !== undefined) return found;
  if (matches.length === 0) {
    throw new DreamfoldError('not_found', `No ${what} has an id that begins with ${JSON.stringify(given)}`, {
      path: what,
      value: given,
      remedy,
    });
  }
  const shown = matches.slice(0, MAX_SHOWN).map(({ id }) => id);
  throw new DreamfoldError('invalid_argument', `Several ${plural} begin with ${JSON.stringify(given)}`, {
    path: what,
    value: given,
    remedy: `Give more of the id: ${shown.join(', ')}${matches.length > MAX_SHOWN ? ', and others' : ''}.`,
  });
}
