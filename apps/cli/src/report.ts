import { isDreamfoldError, type DreamfoldError } from '@dreamfold/events/errors';
import type { Io } from './io.ts';
import { printable } from './render/printable.ts';

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
  tellError(error, io);
}

/** An error for people, with its remedy in commands that can be typed here. */
export function tellError({ code, message, remedy }: DreamfoldError, io: Io): void {
  io.note(`${io.paintNote(['bold', 'red'], code)} ${printable(message)}`);
  io.note(`  ${printable(io.withTyped(remedy))}`);
}
