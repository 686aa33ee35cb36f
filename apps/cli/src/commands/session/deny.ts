import type { Command } from 'commander';
import { confirmCall } from '../../input/confirm-call.ts';
import { defineCommand } from '../../define-command.ts';
import type { Io } from '../../io.ts';
import { BY } from '../../input/person.ts';

export function register(program: Command, io: Io): void {
  defineCommand(program, {
    usage: 'deny <session> [call]',
    summary: 'refuse a tool call that waits for a person',
    description:
      'The tool does not run; the model is told, with --message when there is one. CALL is its number in `show` or its id, and may be left out when only one waits.',
    examples: ['deny sesn_4k2 --message "Over the limit: ask for a return first."'],
  })
    .option(...BY)
    .option('--message <text>', 'told to the model')
    .action((...[prefix, call, { by, message }, command]: [string, string | undefined, { by?: string; message?: string }, Command]) =>
      confirmCall({ prefix, call, by, message, result: 'deny', command }, io),
    );
}
