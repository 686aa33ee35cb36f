import type { Command } from 'commander';
import { confirmCall } from '../confirm-call.ts';
import { defineCommand } from '../define-command.ts';
import type { Io } from '../io.ts';

export function register(program: Command, io: Io): void {
  defineCommand(program, {
    usage: 'approve <session> [call]',
    summary: 'allow a tool call that waits for a person',
    description:
      'The approval counts once, for exactly this call with this input. CALL is its number in `show` or its id, and may be left out when only one waits. A process that runs the session with --wait goes on at once; otherwise `dreamfold resume` does.',
    examples: ['approve sesn_4k2', 'approve sesn_4k2 8 --by ann'],
  })
    .option('--by <name>', 'who says so')
    .action((...[prefix, call, { by }, command]: [string, string | undefined, { by?: string }, Command]) =>
      confirmCall({ prefix, call, by, result: 'allow', command }, io),
    );
}
