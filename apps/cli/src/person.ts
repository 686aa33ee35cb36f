import { userInfo } from 'node:os';
import { firstCharacters, hasAtMost } from '@dreamfold/events';
import { DreamfoldError } from 'dreamfold';

const MAX_CHARS = 100;

/** The option that names whoever acts. */
export const BY = ['--by <name>', 'who says so; default: your user name'] as const;

/**
 * The actor of what a person does: `person:NAME`.
 * @param name what `--by` says; default the user name
 * @throws DreamfoldError invalid_argument
 */
export function personOf(name: string = process.env['USER'] || userInfo().username): string {
  const plain = name.trim();
  if (plain !== '' && hasAtMost(plain, MAX_CHARS) && !/\p{C}/u.test(plain)) return `person:${plain}`;
  throw new DreamfoldError('invalid_argument', '--by is not a name', {
    path: '--by',
    value: firstCharacters(name, MAX_CHARS),
    remedy: `Give a name of 1 to ${MAX_CHARS} printable characters.`,
  });
}
