import { DreamfoldError, type Dreamfold } from 'dreamfold';

const SHOWN = 5;

/**
 * The id of the one session that begins so, with or without `sesn_`.
 * @throws DreamfoldError not_found, invalid_argument when several begin so
 */
export async function findSession(dreamfold: Dreamfold, prefix: string): Promise<string> {
  const wanted = prefix.startsWith('sesn_') ? prefix : `sesn_${prefix}`;
  const matches: string[] = [];
  if (prefix !== '') {
    for await (const id of dreamfold.sessions()) {
      if (id === wanted) return id;
      if (id.startsWith(wanted)) matches.push(id);
    }
  }
  if (matches.length === 1) return matches[0]!;
  if (matches.length === 0) {
    throw new DreamfoldError('not_found', `No session has an id that begins with ${JSON.stringify(prefix)}`, {
      path: 'session',
      value: prefix,
      remedy: 'List them with `dreamfold sessions`.',
    });
  }
  const more = matches.length > SHOWN ? `, and ${matches.length - SHOWN} more` : '';
  throw new DreamfoldError('invalid_argument', `${matches.length} sessions begin with ${JSON.stringify(prefix)}`, {
    path: 'session',
    value: prefix,
    remedy: `Give more of the id: ${matches.slice(0, SHOWN).join(', ')}${more}.`,
  });
}
