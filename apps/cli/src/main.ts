import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { DreamfoldError } from 'dreamfold';
import { DEFAULT_DIRECTORY } from './data-directory.ts';
import { EXIT, exitCodeOf, type ExitCode } from './exit-code.ts';
import { Io } from './io.ts';
import { report } from './report.ts';
import * as approve from './commands/approve.ts';
import * as demo from './commands/demo.ts';
import * as deny from './commands/deny.ts';
import * as dream from './commands/dream.ts';
import * as dreamer from './commands/dreamer.ts';
import * as exportCommand from './commands/export.ts';
import * as feedback from './commands/feedback.ts';
import * as grade from './commands/grade.ts';
import * as importCommand from './commands/import.ts';
import * as init from './commands/init.ts';
import * as interrupt from './commands/interrupt.ts';
import * as memory from './commands/memory.ts';
import * as replay from './commands/replay.ts';
import * as resume from './commands/resume.ts';
import * as review from './commands/review.ts';
import * as run from './commands/run.ts';
import * as send from './commands/send.ts';
import * as sessions from './commands/sessions.ts';
import * as show from './commands/show.ts';
import * as tail from './commands/tail.ts';
import * as verify from './commands/verify.ts';
import * as worker from './commands/worker.ts';

/** In the order of the help. */
const COMMANDS = [
  demo,
  init,
  run,
  resume,
  worker,
  sessions,
  show,
  tail,
  replay,
  approve,
  deny,
  grade,
  send,
  interrupt,
  feedback,
  importCommand,
  exportCommand,
  dream,
  dreamer,
  review,
  memory,
  verify,
];

const MORE = `
Start with:
  dreamfold demo                               the whole loop, in a few seconds
  dreamfold init my-team                       a team of your own
  dreamfold run my-team/team.ts "Where is order 17?"
  dreamfold show SESSION                       what happened; the beginning of an id is enough

Exit codes:
  0    done
  1    it ran and failed: the rubric was not met, a cap was reached, the model gave up or refused
  2    wrong arguments, input or id; nothing was written
  3    the log can't be used or does not verify, or no broker answers; or replay renders another request than was recorded
  4    another process runs the sessions of this data directory
  5    it waits for a person: an approval, or a score
  130  stopped with Ctrl-C, or by interrupt`;

const LOG_SAYS = 'a log on Kafka: kafka://host:port[,host:port]/prefix; the data directory then holds its local replica';

function versionOfThis(): string {
  return (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;
}

/** The whole command line. @param io what commands say and ask */
function program(io: Io): Command {
  const root = new Command('dreamfold')
    .description('Agent teams on an event log: run them, replay what happened, and let them learn from it.')
    .version(versionOfThis(), '--version', 'print the version')
    .option('--data <dir>', 'the data directory', DEFAULT_DIRECTORY)
    .addOption(new Option('--log <url>', LOG_SAYS).env('DREAMFOLD_LOG'))
    .option('--json', 'print exactly one JSON document on stdout; errors too, as {"error": …}')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', MORE)
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
    // Without a command, commander has shown the help on stderr.
    if (error instanceof CommanderError && error.code === 'commander.help' && !io.json) return EXIT.usage;
    const named = error instanceof CommanderError ? usageError(error) : error;
    report(named, io);
    return exitCodeOf(named);
  }
}

function usageError(error: CommanderError): DreamfoldError {
  const message = error.code === 'commander.help' ? 'No command was given' : error.message.replace(/^error: /, '');
  return new DreamfoldError('invalid_argument', message, {
    path: 'arguments',
    remedy: 'See `dreamfold --help`, or `dreamfold COMMAND --help`.',
  });
}
