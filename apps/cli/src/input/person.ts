import { MAX_LABELLER_CHARS, checkName } from '@dreamfold/events';
import { operator } from 'dreamfold';

/** The option that names whoever acts. */
export const BY = ['--by <name>', 'who says so; default: your user name'] as const;

/**
 * The actor of what a person does: `person:NAME`.
 * @param name what `--by` says; default the user name
 * @throws DreamfoldError invalid_argument, suspicious_unicode
 */
export function personOf(name: string = operator()): string {
  const plain = name.trim();
  checkName(plain, { path: '--by', maxChars: MAX_LABELLER_CHARS });
  return `person:${plain}`;
}
