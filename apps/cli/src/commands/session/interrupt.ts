import type { Command } from 'commander';
import { withData } from '../../data-directory.ts';
import { defineCommand } from '../../define-command.ts';
import { findSession } from '../../session/find-session.ts';
import type { Io } from '../../io.ts';

export function register(program: Command, io: Io): void {
  defineCommand(program, {
    usage: 'interrupt <session>',
    summary: 'stop a session, whoever runs it',
    description:
      'Writes an interrupt to the session. The process that runs it closes every open call with an error, starts nothing more and ends with 130; other sessions go on. A session that was submitted and that nobody has begun with is never run. --thread stops one thread and what is under it.',
    examples: ['interrupt sesn_4k2', 'interrupt sesn_4k2 --thread sthr_7b3'],
  })
    .option('--thread <id>', 'only this thread and its children')
    .action((prefix: string, { thread }: { thread?: string }, command: Command) =>
      withData(command, { io, readOnly: false, mustExist: true }, async (dreamfold) => {
        const id = await findSession(dreamfold, prefix);
        const interrupted = await dreamfold.interrupt(id, thread);
        io.document({ session: id, interrupted });
        io.line(interrupted ? `Interrupted ${id}.` : `${id} has nothing to interrupt.`);
      }),
    );
}
