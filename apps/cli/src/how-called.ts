import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** True where the program runs from its source; what is installed from a registry is built. */
export const IN_REPOSITORY = import.meta.url.endsWith('.ts');

const ROOT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

/** What to type in front of a command, in the directory in which this process was started. */
export function typedHere(): string {
  if (!IN_REPOSITORY) return 'dreamfold';
  if (process.cwd() !== ROOT) return `node ${fileURLToPath(new URL('bin.ts', import.meta.url))}`;
  const { packageManager } = JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8')) as { packageManager: string };
  return `npx -y ${packageManager} dreamfold`;
}
