import type { Command } from 'commander';
import { withData } from '../../data-directory.ts';
import { collect, defineCommand } from '../../define-command.ts';
import { ATTACH, withAttachments } from '../../input/attachments.ts';
import { findSession } from '../../session/find-session.ts';
import type { Io } from '../../io.ts';
import { tellHowToGoOn } from '../../session/waiting.ts';

export function register(program: Command, io: Io): void {
  defineCommand(program, {
    usage: 'send <session> <message>',
    summary: 'write a message to the lead of a session',
    description:
      'The message is queued while the lead is busy. When no process runs the session, `dreamfold resume` takes it up. While an outcome is under way, the message belongs to it; once the outcome has ended, the answer to the message is the result, and is not graded.',
    examples: ['send sesn_4k2 "And when does it arrive?"', 'send sesn_4k2 "It looks like this." --attach photo.jpg'],
  })
    .option(...ATTACH, collect)
    .action((...[prefix, message, { attach }, command]: [string, string, { attach?: string[] }, Command]) =>
      withData(command, { io, readOnly: false, mustExist: true }, async (dreamfold) => {
        const id = await findSession(dreamfold, prefix);
        await dreamfold.send(id, await withAttachments(message, attach));
        const { outcome } = await dreamfold.session(id);
        const applies = outcome !== null && outcome.status !== 'done';
        io.document({ session: id, sent: message, ...(attach === undefined ? {} : { attached: attach }), rubric: applies });
        io.line('Sent.');
        tellHowToGoOn(id, io);
        if (applies) io.line('It belongs to the outcome that is under way: what comes of it is graded by its rubric.');
        else if (outcome !== null) io.line('The outcome of the session has ended: no rubric applies to the answer.');
      }),
    );
}
