import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** True where the program runs from its source; what is installed from a registry is built. */
export const IN_REPOSITORY = import.meta.url.endsWith('.ts');

const ROOT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/[\\/]$/, '');

let known: string | null = null;

/** What to type in front of a command, in the directory in which this process was started. */
export function typedHere(): string {
  known ??= programAs({ env: process.env, argv1: process.argv[1] ?? '', cwd: process.cwd() });
  return known;
}

/** What runs a program of the user's own on the Node that runs this one. */
export function nodeTypedHere(): string {
  const typed = typedHere();
  return /pnpm(?:@\S+)? dreamfold$/.test(typed) ? typed.replace(/dreamfold$/, 'exec node') : 'node';
}

interface Called {
  env: NodeJS.ProcessEnv;
  /** The program that Node was given, as it was given. */
  argv1: string;
  cwd: string;
}

function programAs(called: Called): string {
  return IN_REPOSITORY ? fromSource(called) : fromRegistry(called);
}

/** A script of the repository brings the right Node along; whoever has no pnpm gets it through npx. */
export function fromSource({ env, argv1, cwd }: Called): string {
  if (/[\\/]dreamfold$/.test(argv1)) return 'dreamfold';
  const isScript = cwd === ROOT && env['npm_config_user_agent']?.startsWith('pnpm/') === true;
  if (!isScript) return `node ${shortest(fileURLToPath(new URL('bin.ts', import.meta.url)), cwd)}`;
  if (!throughNpx(env['npm_execpath'])) return 'pnpm dreamfold';
  const { packageManager } = JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8')) as { packageManager: string };
  return `npx -y ${packageManager} dreamfold`;
}

export function fromRegistry({ env, argv1, cwd }: Called): string {
  if (throughNpx(argv1)) return 'npx @dreamfold/cli';
  const runsLocal = /[\\/]node_modules[\\/]/.test(argv1);
  if (runsLocal && /[\\/]pnpm(?:\.\w+)?$/.test(env['npm_execpath'] ?? '')) return 'pnpm exec dreamfold';
  if (env['npm_command'] === 'exec' || (runsLocal && /[\\/]\.bin[\\/]/.test(argv1))) return 'npx dreamfold';
  return /[\\/]dist[\\/]bin\.js$/.test(argv1) ? `node ${shortest(argv1, cwd)}` : 'dreamfold';
}

/** npx keeps what it fetches in a folder of this name. */
function throughNpx(path: string | undefined): boolean {
  return path !== undefined && /[\\/]_npx[\\/]/.test(path);
}

function shortest(path: string, cwd: string): string {
  const from = relative(cwd, path);
  return from.startsWith('..') ? path : from;
}
