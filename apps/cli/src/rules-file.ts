import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { DreamfoldError, forbiddenPhrase, loadConstitution, type Constitution } from 'dreamfold';
import { dataDirectory } from './data-directory.ts';
import { readText } from './read-text.ts';

const MAX_BYTES = 65_536;

/** In the data directory: holds where no other file is named. Phrases alone, so that nothing there is ever run. */
export const DEFAULT_RULES = 'rules.txt';

/** The option that names the constitution. */
export const RULES = [
  '--rules <file>',
  `the constitution: phrases that no memory may hold, one a line (# begins a comment), or a .json, .js or .ts file; default: ${DEFAULT_RULES} in the data directory, if it is there`,
] as const;

/**
 * What the operator allows in no memory.
 * @param file what `--rules` says
 * @throws DreamfoldError invalid_argument for a file without a rule, which protects from nothing; those of readText and loadConstitution
 */
export async function constitutionFor(command: Command, file: string | undefined): Promise<Constitution> {
  if (file !== undefined) return /\.(?:json|[cm]?[jt]s)$/.test(file) ? loadConstitution(file) : phrasesIn(file);
  const standing = join(dataDirectory(command), DEFAULT_RULES);
  return existsSync(standing) ? phrasesIn(standing) : [];
}

async function phrasesIn(file: string): Promise<Constitution> {
  const rules = (await readText(file, { maxBytes: MAX_BYTES }))
    .split(/\r?\n/)
    .map((line) => line.replace(/(?:^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');
  if (rules.length > 0) return rules.map(forbiddenPhrase);
  throw new DreamfoldError('invalid_argument', `The file of rules ${file} holds no rule`, {
    path: '--rules',
    value: file,
    remedy: 'Write one phrase a line.',
  });
}
