import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { DreamfoldError } from '@dreamfold/events/errors';
import { COMMAND_LIST, nameOf } from './command-list.ts';
import { DEFAULT_DIRECTORY } from './default-directory.ts';
import { EXIT, exitCodeOf, type ExitCode } from './exit-code.ts';
import { typedHere } from './how-called.ts';
import { Io } from './io.ts';
import { report } from './report.ts';

/** Written when it is asked for: it says how this program was called. */
const more = (): string => `
Start with:
  ${typedHere()} demo                               the whole loop, in a few seconds
  ${typedHere()} init my-team                       a team of your own
  ${typedHere()} run my-team/team.ts "Where is order 17?"
  ${typedHere()} show SESSION                       what happened; the beginning of an id is enough

Exit codes:
  0    done
  1    it ran and failed: the rubric was not met, a cap was reached, the model gave up or refused; or import left bad rows out
  2    wrong arguments, input or id; nothing was written
  3    the log can't be used or does not verify, or no broker answers; or replay renders another request than was recorded
  4    another process runs the sessions of this data directory
  5    it waits for a person: an approval, or a score
  130  stopped with Ctrl-C, or by interrupt`;

const LOG_SAYS = 'a log on Kafka: kafka://host:port[,host:port]/prefix; the data directory then holds its local replica';

const REPLICA_SAYS =
  'only look, at a replica of a log on Kafka, without its brokers: the folder of the log, DATA/kafka/PREFIX/LOG, or a replica in it';

const ACCEPT_SAYS =
  'take what the brokers have for the log, although this machine has a replica of another one, or of more of it; said once, by a person';

function versionOfThis(): string {
  return (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;
}

/** Options of the whole command line that take a value as the argument after them. */
const WITH_VALUE = ['--data', '--log', '--replica'];

/** What may name the command: the first two arguments that are no options, `help run` among them. */
function namesIn(args: readonly string[]): readonly string[] {
  return args.filter((arg, i) => !arg.startsWith('-') && !WITH_VALUE.includes(args[i - 1] ?? '')).slice(0, 2);
}

/**
 * The command line, with the commands that the arguments may name; of the others it knows what the help lists.
 * @param io what commands say and ask
 */
export async function program(args: readonly string[], io: Io): Promise<Command> {
  const root = new Command('dreamfold')
    .description('Agent teams on an event log: run them, replay what happened, and let them learn from it.')
    .version(versionOfThis(), '--version', 'print the version')
    .option('--data <dir>', 'the data directory', DEFAULT_DIRECTORY)
    .addOption(new Option('--log <url>', LOG_SAYS).env('DREAMFOLD_LOG'))
    .option('--replica <dir>', REPLICA_SAYS)
    .option('--accept-new-log', ACCEPT_SAYS)
    .option('--json', 'print exactly one JSON document on stdout; errors too, as {"error": …}')
    .configureHelp({
      showGlobalOptions: true,
      subcommandTerm: (command) => `${command.name()} ${command.usage().replace('[options]', '')}`.replaceAll(/ +/g, ' ').trim(),
    })
    .addHelpText('after', more)
    .hook('preAction', async (_, command) => {
      const { dataFlags } = await import('./data-directory.ts');
      io.dataFlags = dataFlags(command);
    })
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  const names = namesIn(args);
  for (const command of COMMAND_LIST) {
    if (names.includes(nameOf(command))) (await command.load()).register(root, io);
    else root.command(command.usage).summary(command.summary);
  }
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
    await (await program(args, io)).parseAsync(args, { from: 'user' });
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
