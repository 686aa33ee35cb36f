import { DreamfoldError } from 'dreamfold';

const SHOWN = 5;

export interface Sought {
  /** What it is called: `patch`, `dream`. */
  what: string;
  plural: string;
  /** Of its ids, such as `patch_`. */
  idPrefix: string;
  /** Where to see them. */
  remedy: string;
}

/**
 * The one item whose id begins so, with or without the prefix of its kind.
 * @throws DreamfoldError not_found, invalid_argument when several begin so
 */
export function findByPrefix<T extends { id: string }>(items: readonly T[], given: string, { what, plural, idPrefix, remedy }: Sought): T {
  const wanted = given.startsWith(idPrefix) ? given : `${idPrefix}${given}`;
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
  const shown = matches.slice(0, SHOWN).map(({ id }) => id);
  throw new DreamfoldError('invalid_argument', `${matches.length} ${plural} begin with ${JSON.stringify(given)}`, {
    path: what,
    value: given,
    remedy: `Give more of the id: ${shown.join(', ')}${matches.length > SHOWN ? `, and ${matches.length - SHOWN} more` : ''}.`,
  });
}
