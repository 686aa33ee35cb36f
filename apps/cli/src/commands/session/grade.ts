import { InvalidArgumentError, type Command } from 'commander';
import { operator } from 'dreamfold';
import { withData } from '../../data-directory.ts';
import { defineCommand } from '../../define-command.ts';
import { findSession } from '../../session/find-session.ts';
import type { Io } from '../../io.ts';
import { BY } from '../../input/person.ts';
import { tellHowToGoOn } from '../../session/waiting.ts';

interface GradeFlags {
  reason: string;
  by?: string;
}

export function register(program: Command, io: Io): void {
  defineCommand(program, {
    usage: 'grade <session> <criterion>',
    summary: 'score a criterion that waits for a person',
    description: 'Gives the score that a rubric asks of a person. `show` lists the criteria that wait.',
    examples: ['grade sesn_4k2 tone 0.8 --reason "Kind, but too long."'],
  })
    .argument('<score>', 'from 0 (not met) to 1 (fully met)', fraction)
    .requiredOption('--reason <text>', 'why, in words that the author can act on')
    .option(...BY)
    .action((...[prefix, criterion, score, flags, command]: [string, string, number, GradeFlags, Command]) =>
      withData(command, { io, readOnly: false, mustExist: true }, async (dreamfold) => {
        const id = await findSession(dreamfold, prefix);
        const { reason, by = operator() } = flags;
        await dreamfold.judge(id, { criterion, score, reason, by });
        io.document({ session: id, criterion, score, reason, by });
        io.line(`Recorded: ${criterion} ${score}.`);
        tellHowToGoOn(id, io);
      }),
    );
}

function fraction(text: string): number {
  const score = Number(text);
  if (text.trim() !== '' && score >= 0 && score <= 1) return score;
  throw new InvalidArgumentError('Give a number from 0 to 1.');
}
