import { Option, type Command } from 'commander';
import { confirmCall, showCall } from '../../input/confirm-call.ts';
import { defineCommand } from '../../define-command.ts';
import type { Io } from '../../io.ts';
import { BY } from '../../input/person.ts';

interface ApproveFlags {
  by?: string;
  input?: string;
  show?: true;
}

export function register(program: Command, io: Io): void {
  defineCommand(program, {
    usage: 'approve <session> [call]',
    summary: 'allow a tool call that waits for a person',
    description:
      'The approval counts once, for exactly this call with this input. CALL is its number in `show` or its id, and may be left out when only one waits. --show prints the whole input and decides nothing. With --input the call runs with that instead, and the model is told: give the whole input, as the tool is to get it. A process that runs the session with --wait, or asks about the call on a terminal, goes on at once; otherwise `dreamfold resume` does.',
    examples: ['approve sesn_4k2 --show', 'approve sesn_4k2 8 --by ann', 'approve sesn_4k2 8 --input \'{"order":"17","cents":400}\''],
  })
    .option(...BY)
    .option('--input <json>', 'run it with this input')
    .addOption(new Option('--show', 'print the whole call, and decide nothing').conflicts(['input', 'by']))
    .action((...[prefix, call, { by, input, show }, command]: [string, string | undefined, ApproveFlags, Command]) =>
      show === true ? showCall({ prefix, call, command }, io) : confirmCall({ prefix, call, by, input, result: 'allow', command }, io),
    );
}
