import { DreamfoldError } from '@dreamfold/events';

const INDEX = /^(?:0|[1-9][0-9]{0,8})$/;

/** One token as it stands in a pointer. */
export function escapeToken(token: string): string {
  return token.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** The pointer of a list of tokens. */
export function pointerOf(tokens: readonly string[]): string {
  return tokens.map((token) => `/${escapeToken(token)}`).join('');
}

/**
 * The tokens of an RFC 6901 pointer; none for the whole document.
 * @param where names the pointer in errors, such as `/3/path` for the path of operation 3
 * @throws DreamfoldError invalid_patch
 */
export function parsePointer(pointer: string, where: string): string[] {
  if (pointer === '') return [];
  if (!pointer.startsWith('/') || /~(?![01])/.test(pointer)) {
    throw new DreamfoldError('invalid_patch', `${where} is not a JSON pointer`, {
      path: where,
      value: pointer.slice(0, 120),
      remedy: 'Begin it with "/", and write "~" as "~0" and "/" within a name as "~1".',
    });
  }
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** The value that tokens lead to, own members only; undefined where they lead nowhere. */
export function valueAt(document: unknown, tokens: readonly string[]): unknown {
  let value = document;
  for (const token of tokens) {
    if (typeof value !== 'object' || value === null) return undefined;
    if (Array.isArray(value) ? !INDEX.test(token) : !Object.hasOwn(value, token)) return undefined;
    value = (value as Record<string, unknown>)[token];
  }
  return value;
}

/**
 * Checks that a pointer can be used: to read or replace what is there, or to add.
 * Libraries differ in what they make of "01", "length" or an index past the end; here they are errors.
 * @throws DreamfoldError invalid_pointer
 */
export function checkPointer(document: unknown, tokens: readonly string[], use: { where: string; adds: boolean }): void {
  const parent = valueAt(document, tokens.slice(0, -1));
  const key = tokens.at(-1)!;
  let why: string | null = null;
  if (typeof parent !== 'object' || parent === null) why = 'leads through something that is not there';
  else if (!Array.isArray(parent)) why = use.adds || Object.hasOwn(parent, key) ? null : 'names nothing that is there';
  else if (key === '-') why = use.adds ? null : 'names the place behind the last item';
  else if (!INDEX.test(key)) why = 'has a name where an array index belongs';
  else if (Number(key) > parent.length - (use.adds ? 0 : 1)) why = `is past the end of an array of ${parent.length}`;
  if (why === null) return;
  throw new DreamfoldError('invalid_pointer', `${use.where} ${why}`, {
    path: use.where,
    value: pointerOf(tokens).slice(0, 120),
    remedy: 'Point at what the document holds; an array index is 0, 1, 2, … or "-" to append.',
  });
}
