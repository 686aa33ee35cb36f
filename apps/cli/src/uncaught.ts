import { fileURLToPath } from 'node:url';
import { DreamfoldError } from '@dreamfold/events/errors';
import { EXIT, type ExitCode } from './exit-code.ts';
import type { Io } from './io.ts';
import { report } from './report.ts';

/** Where a stack names code of this program. Its packages stand beside it: in the repository, or in node_modules. */
const OURS = [
  new URL('.', import.meta.url).href,
  new URL('../../../packages/', import.meta.url).href,
  '/node_modules/@dreamfold/',
  '/node_modules/dreamfold/',
];

/**
 * Tells of an error that nobody caught. Where it does not come from this program's own code, that is one line.
 * @returns what the process ends with
 */
export function reportUncaught(thrown: unknown, io: Io): ExitCode {
  const place = placeOf(thrown);
  if (place !== null && OURS.some((ours) => place.includes(ours))) {
    report(thrown, io);
    return EXIT.failed;
  }
  const at = place?.replace(/^file:[^:]+/, (url) => fileURLToPath(url)) ?? null;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const where = at === null ? '' : ` (${at})`;
  const error = new DreamfoldError('tool_failed', `An error of a tool or of the team's file was caught by nobody: ${message}${where}`, {
    ...(at === null ? {} : { path: at }),
    remedy: 'Catch there what timers, listeners and promises throw. What is on the log is kept: `dreamfold resume` goes on.',
    cause: thrown,
  });
  report(error, io);
  return EXIT.failed;
}

/** The file that threw, as `file:///team.ts:7:11`: Node's own frames are passed over. */
function placeOf(thrown: unknown): string | null {
  const stack = thrown instanceof Error ? (thrown.stack ?? '') : '';
  return /\bfile:\/\/[^\s)]+:\d+:\d+/.exec(stack)?.[0] ?? null;
}
