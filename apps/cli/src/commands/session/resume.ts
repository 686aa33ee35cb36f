import type { Command } from 'commander';
import { withData } from '../../data-directory.ts';
import { defineCommand } from '../../define-command.ts';
import { driveSession } from '../../session/drive-session.ts';
import { EventLines } from '../../render/event-lines.ts';
import { findSession } from '../../session/find-session.ts';
import type { Io } from '../../io.ts';
import { hasSomethingToDo, type SessionState } from '@dreamfold/core';
import { loadTeam, withModel } from '../../input/load-team.ts';
import { noteStandIns } from '../../session/stand-in.ts';
import { besideProcessor } from '../../session/unattended.ts';

interface ResumeFlags {
  model?: string;
  quiet?: true;
  wait?: true;
}

export function register(program: Command, io: Io): void {
  defineCommand(program, {
    usage: 'resume <session> <file>',
    summary: 'go on with a session: after a crash, an approval, a message',
    description:
      'Takes the session over with the team in FILE and goes on where its log ends. What a model has answered is not asked again; tools that ran are not run again, unless they may be.',
    examples: ['resume sesn_4k2 team.ts'],
  })
    .option('--model <name>', 'the model of every agent')
    .option('--quiet', 'only the result')
    .option('--wait', 'when it waits for a person, do not ask here, but wait for the word from another terminal')
    .action((...[prefix, file, flags, command]: [string, string, ResumeFlags, Command]) => resume({ prefix, file, flags, command }, io));
}

async function resume(
  { prefix, file, flags, command }: { prefix: string; file: string; flags: ResumeFlags; command: Command },
  io: Io,
): Promise<void> {
  const { lead, rubric } = await loadTeam(file);
  await withData(command, { io, readOnly: false, mustExist: true }, async (dreamfold) => {
    const id = await findSession(dreamfold, prefix);
    const lines = new EventLines(io);
    for await (const event of dreamfold.events(id)) lines.of(event);
    const team = flags.model === undefined ? lead : withModel(lead, flags.model);
    const { quiet = false, wait = false } = flags;
    const state = await dreamfold.session(id);
    if (hasEnded(state)) {
      io.note(`${id} has ended: there is nothing to go on with, and this is what it came to.`);
      io.note(io.withTyped(`Ask it for more with \`dreamfold send ${id} MESSAGE\`, then resume it.`));
    }
    if (!quiet && !io.json) noteStandIns(team, io);
    const session = await dreamfold.resume(team, id, rubric === undefined ? {} : { rubric }).catch((error: unknown) => {
      throw besideProcessor(
        error,
        (pid) => `If process ${pid} is a worker of this team, it goes on with the session by itself. Otherwise stop process ${pid} first.`,
      );
    });
    await driveSession(session, { io, command, file, lines, quiet, wait });
  });
}

function hasEnded(state: SessionState): boolean {
  return state.imported === null && state.stopReason !== null && state.stopReason.type !== 'requires_action' && !hasSomethingToDo(state);
}
