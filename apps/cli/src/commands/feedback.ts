import { Option, type Command } from 'commander';
import { FeedbackRecorded, parseJson } from '@dreamfold/events';
import { DreamfoldError } from 'dreamfold';
import { withData } from '../data-directory.ts';
import { defineCommand } from '../define-command.ts';
import { findSession } from '../find-session.ts';
import type { Io } from '../io.ts';

interface FeedbackFlags {
  verdict: 'right' | 'wrong';
  rightAnswer?: string;
  reason?: string;
  by: string;
}

export function register(program: Command, io: Io): void {
  defineCommand(program, {
    usage: 'feedback <session> <event>',
    summary: 'say what came of a call or a message later',
    description:
      'Judges an event of a session (its id stands in `show --json`): a desk re-routes the ticket, a test fails in production. Dreams learn from it; --right-answer names the fields of the call that would have been right.',
    examples: [`feedback sesn_4k2 sevt_9x1 --verdict wrong --right-answer '{"queue":"billing"}' --by billing-desk`],
  })
    .addOption(new Option('--verdict <verdict>', 'what it was').choices(['right', 'wrong']).makeOptionMandatory())
    .option('--right-answer <json>', 'the fields that would have been right, as a JSON object')
    .option('--reason <text>', 'why')
    .requiredOption('--by <name>', 'who says so')
    .action((...[prefix, event, flags, command]: [string, string, FeedbackFlags, Command]) => {
      const feedback = readFeedback(event, flags);
      return withData(command, { readOnly: false, mustExist: true }, async (dreamfold) => {
        const id = await findSession(dreamfold, prefix);
        await dreamfold.feedback(id, feedback);
        io.document({ session: id, feedback });
        io.line(`Recorded: ${event} was ${flags.verdict}.`);
      });
    });
}

function readFeedback(judges: string, { verdict, rightAnswer, reason, by }: FeedbackFlags): FeedbackRecorded {
  const right_answer = rightAnswer === undefined ? {} : { right_answer: parseJson(rightAnswer, '--right-answer') };
  const checked = FeedbackRecorded.safeParse({ judges, verdict, by, ...right_answer, ...(reason === undefined ? {} : { reason }) });
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0]!;
  const path = `--${String(issue.path[0]).replaceAll('_', '-')}`;
  throw new DreamfoldError('invalid_argument', `${path}: ${issue.message}`, {
    path,
    value: issue.input,
    remedy: 'See `dreamfold feedback --help`; a right answer is an object of texts, numbers, true and false.',
  });
}
