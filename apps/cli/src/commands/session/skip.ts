import type { Command } from 'commander';
import { withData } from '../../data-directory.ts';
import { defineCommand, REASON } from '../../define-command.ts';
import { BY, personOf } from '../../input/person.ts';
import { findEvent } from '../../session/find-event.ts';
import { findSession } from '../../session/find-session.ts';
import { gather } from '../../session/gather.ts';
import type { Io } from '../../io.ts';

export function register(program: Command, io: Io): void {
  defineCommand(program, {
    usage: 'skip <session> <event>',
    summary: 'pass over an event that no Dreamfold knows, and that suspends its session',
    description:
      'A session that holds an event of a type or version that this Dreamfold does not know is read and not run: a newer Dreamfold wrote it, and runs the session. When none did, this writes to the session, with your name and the reason, that the event is passed over; the session goes on as if it had changed nothing. EVENT is its number or its id, as the error unsupported_schema_version says. A newer Dreamfold that knows the event follows it all the same.',
    examples: ['skip sesn_4k2 12 --reason "A script wrote it by mistake."'],
  })
    .requiredOption(...REASON)
    .option(...BY)
    .action((...[prefix, event, { reason, by }, command]: [string, string, { reason: string; by?: string }, Command]) => {
      const person = personOf(by).slice('person:'.length);
      return withData(command, { io, readOnly: false, mustExist: true }, async (dreamfold) => {
        const id = await findSession(dreamfold, prefix);
        const { id: skipped, seq, type, v } = findEvent(await gather(dreamfold.events(id)), event);
        await dreamfold.skip(id, { event: skipped, reason, by: person });
        io.document({ session: id, skipped });
        io.line(`${id} passes over event ${seq}, ${type} version ${v}.`);
      });
    });
}
