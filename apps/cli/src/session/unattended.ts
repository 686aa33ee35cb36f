import { withRemedy } from '@dreamfold/events/errors';
import { isDreamfoldError } from 'dreamfold';
import type { Io } from '../io.ts';

/** Says that nobody runs a session, and what does. */
export function tellUnattended(id: string, io: Io): void {
  io.line(io.paint('yellow', "Nobody runs this. It goes on with its team's file:"));
  io.verbatim(`  ${io.typed(`resume ${id} FILE`)}`);
}

/** The error with what to do instead, when another process has the data directory. */
export function besideProcessor(error: unknown, remedy: (pid: string) => string): unknown {
  if (!isDreamfoldError(error, 'store_locked') || typeof error.value !== 'number') return error;
  return withRemedy(error, remedy(String(error.value)));
}
