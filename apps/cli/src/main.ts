import { Command, CommanderError } from 'commander';
import { DreamfoldError, isDreamfoldError } from 'dreamfold';
import { DEFAULT_DIRECTORY } from './data-directory.ts';
import { EXIT, exitCodeOf, type ExitCode } from './exit-code.ts';
import { Io } from './io.ts';
import { printable } from './printable.ts';
import * as dream from './commands/dream.ts';
import * as memory from './commands/memory.ts';
import * as review from './commands/review.ts';

/** In the order of the help. */
const COMMANDS = [dream, review, memory];

const EXIT_CODES = `
Exit codes:
  0    done
  1    it ran and failed: the rubric was not met, the model gave up, a tool broke
  2    wrong arguments, input or id; nothing was written
  3    the data directory can't be used: corrupt, newer, read-only, full
  4    another process runs the sessions of this data directory
  5    it waits for a person: an approval, or a score
  130  stopped with Ctrl-C`;

/** The whole command line. @param io what commands say and ask */
function program(io: Io): Command {
  const root = new Command('dreamfold')
    .description('Agent teams on an event log: run them, replay what happened, and let them learn from it.')
    .option('--data <dir>', 'the data directory', DEFAULT_DIRECTORY)
    .option('--json', 'print exactly one JSON document on stdout; errors too, as {"error": …}')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', EXIT_CODES)
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  for (const { register } of COMMANDS) register(root, io);
  return root;
}

/**
 * Runs one command.
 * @param args without the program's own two
 * @returns the exit code
 */
export async function main(args: readonly string[], io: Io = new Io()): Promise<ExitCode> {
  // Read before anything is parsed, so that a wrong argument is reported in the form that was asked for as well.
  const end = args.indexOf('--');
  io.json = (end < 0 ? args : args.slice(0, end)).includes('--json');
  try {
    await program(io).parseAsync(args, { from: 'user' });
    return io.exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    const named = error instanceof CommanderError ? usageError(error) : error;
    report(named, io);
    return exitCodeOf(named);
  }
}

function usageError(error: CommanderError): DreamfoldError {
  return new DreamfoldError('invalid_argument', error.message.replace(/^error: /, ''), {
    path: 'arguments',
    remedy: 'See `dreamfold --help`, or `dreamfold COMMAND --help`.',
  });
}

function report(error: unknown, io: Io): void {
  const { stack, message } = error as Error;
  if (!isDreamfoldError(error)) {
    // A fault of the program: its trace is what a bug report needs.
    io.document({ error: { code: 'internal_error', message, remedy: 'This is a bug of Dreamfold; please report it with its trace.' } });
    io.note(stack ?? message);
    return;
  }
  io.document({ error });
  if (io.json) return;
  io.note(`${io.paintNote(['bold', 'red'], error.code)} ${printable(message)}`);
  io.note(`  ${printable(error.remedy)}`);
}
