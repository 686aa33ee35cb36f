import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { loadConstitution, type Constitution } from 'dreamfold';
import { dataDirectory } from '../data-directory.ts';

/** In the data directory: holds where no other file is named. Phrases alone, so that nothing there is ever run. */
export const DEFAULT_RULES = 'rules.txt';

/** The option that names the constitution. */
export const RULES = [
  '--rules <file>',
  `the constitution: a .txt file of phrases that no memory may hold, one a line (# begins a comment), or a .json, .js or .ts file; default: ${DEFAULT_RULES} in the data directory, if it is there`,
] as const;

/**
 * What the operator allows in no memory.
 * @param file what `--rules` says
 * @throws DreamfoldError those of loadConstitution
 */
export async function constitutionFor(command: Command, file: string | undefined): Promise<Constitution> {
  if (file !== undefined) return loadConstitution(file);
  const standing = join(dataDirectory(command), DEFAULT_RULES);
  return existsSync(standing) ? loadConstitution(standing) : [];
}
