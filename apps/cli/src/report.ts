import { isDreamfoldError } from '@dreamfold/events/errors';
import type { Io } from './io.ts';
import { printable } from './printable.ts';

/** Says what went wrong: on stderr, or with `--json` as the one document. */
export function report(error: unknown, io: Io): void {
  const { stack, message } = error as Error;
  if (!isDreamfoldError(error)) {
    // A fault of the program: its trace is what a bug report needs.
    io.document({ error: { code: 'internal_error', message, remedy: 'This is a bug of Dreamfold; please report it with its trace.' } });
    io.note(stack ?? message);
    return;
  }
  io.document({ error: { ...error.toJSON(), remedy: io.withTyped(error.remedy) } });
  if (io.json) return;
  io.note(`${io.paintNote(['bold', 'red'], error.code)} ${printable(message)}`);
  io.note(`  ${printable(io.withTyped(error.remedy))}`);
}
