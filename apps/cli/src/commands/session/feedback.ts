import { Option, type Command } from 'commander';
import {
  DATA_LIMITS,
  FeedbackRecorded,
  LABELLER_WEIGHT,
  LabellerClass,
  knownEvent,
  parseJson,
  textOf,
  type LogEvent,
} from '@dreamfold/events';
import { DreamfoldError } from 'dreamfold';
import { withData } from '../../data-directory.ts';
import { defineCommand } from '../../define-command.ts';
import { findEvent } from '../../session/find-event.ts';
import { findSession } from '../../session/find-session.ts';
import { gather } from '../../session/gather.ts';
import type { Io } from '../../io.ts';
import { oneLine } from '../../render/printable.ts';

interface FeedbackFlags {
  verdict: 'right' | 'wrong';
  rightAnswer?: string;
  reason?: string;
  by: string;
  class?: LabellerClass;
}

const WEIGHTS = LabellerClass.options.map((one) => `${one} ${LABELLER_WEIGHT[one]}`).join(', ');

export function register(program: Command, io: Io): void {
  defineCommand(program, {
    usage: 'feedback <session> <event>',
    summary: 'say what came of a call or a message later',
    description:
      'Judges a call or a message of a session, named by its number in `show` or by its id: a desk re-routes the ticket, a test fails in production. Dreams learn from it; --right-answer names the fields of the call that would have been right, with values that the tool takes. Several may judge one event, also against each other: the class of greatest weight counts, and of that the newest.',
    examples: [
      `feedback sesn_4k2 8 --verdict wrong --right-answer '{"queue":"billing"}' --by billing-desk --class desk`,
      'feedback sesn_4k2 8 --verdict right --by "Ana Lopes" --class customer',
    ],
  })
    .addOption(new Option('--verdict <verdict>', 'what it was').choices(['right', 'wrong']).makeOptionMandatory())
    .option('--right-answer <json>', 'the fields that would have been right, as a JSON object')
    .option('--reason <text>', 'why')
    .requiredOption('--by <name>', 'who says so')
    .addOption(
      new Option(
        '--class <class>',
        `what weight the word has: ${WEIGHTS}; default: customer for the principal of the session, person for anybody else`,
      ).choices(LabellerClass.options),
    )
    .action((...[prefix, event, flags, command]: [string, string, FeedbackFlags, Command]) => {
      const given = readFeedback(event, flags);
      return withData(command, { io, readOnly: false, mustExist: true }, async (dreamfold) => {
        const id = await findSession(dreamfold, prefix);
        const events = await gather(dreamfold.events(id));
        const judged = findEvent(events, event);
        const feedback = await dreamfold.feedback(id, { ...given, judges: judged.id });
        const contradicts = contradicted(events, feedback);
        io.document({ session: id, feedback, contradicts });
        io.line(`Recorded on ${id}, event ${judged.seq}, ${told(judged)}:`);
        const why = feedback.reason === undefined ? '' : `: ${oneLine(feedback.reason, 160)}`;
        io.line(`  ${oneLine(feedback.by, 64)} (${feedback.class}) says ${saying(feedback)}${why}`);
        for (const earlier of contradicts) io.line(`It contradicts what ${oneLine(earlier.by, 64)} said: ${saying(earlier)}. Both stay.`);
      });
    });
}

/** Earlier feedback on the same event that says otherwise. */
function contradicted(events: readonly LogEvent[], { judges, verdict, right_answer }: FeedbackRecorded): FeedbackRecorded[] {
  const earlier = events.flatMap((event) => {
    const known = knownEvent(event);
    return known?.type === 'feedback.recorded' && known.data?.judges === judges ? [known.data] : [];
  });
  return earlier.filter(
    (said) =>
      said.verdict !== verdict ||
      Object.entries(right_answer ?? {}).some(([field, value]) => value !== (ownValue(said.right_answer, field) ?? value)),
  );
}

function ownValue<T>(record: Record<string, T> | undefined, key: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}

function saying({ verdict, right_answer }: FeedbackRecorded): string {
  return right_answer === undefined ? verdict : `${verdict}, right is ${oneLine(JSON.stringify(right_answer), 160)}`;
}

/** What was judged, in a few words. */
function told(judged: LogEvent): string {
  const known = knownEvent(judged);
  if (known?.data != null && known.type === 'agent.tool_use') {
    return `the call ${oneLine(known.data.name, 64)} ${oneLine(JSON.stringify(known.data.input) ?? '', 160)}`;
  }
  if (known?.data != null && known.type === 'agent.message') return `the message "${oneLine(textOf(known.data.content), 160)}"`;
  return judged.type;
}

function readFeedback(judges: string, { verdict, rightAnswer, reason, by, class: labeller }: FeedbackFlags): FeedbackRecorded {
  const right_answer = rightAnswer === undefined ? {} : { right_answer: parseJson(rightAnswer, '--right-answer', DATA_LIMITS) };
  const said = { judges, verdict, by, ...(labeller === undefined ? {} : { class: labeller }), ...(reason === undefined ? {} : { reason }) };
  const checked = FeedbackRecorded.safeParse({ ...said, ...right_answer });
  // As it was given: a copy by its schema has no key `__proto__`.
  if (checked.success) return { ...checked.data, ...(right_answer as Pick<FeedbackRecorded, 'right_answer'>) };
  const issue = checked.error.issues[0]!;
  const path = `--${String(issue.path[0]).replaceAll('_', '-')}`;
  throw new DreamfoldError('invalid_argument', `${path}: ${issue.message}`, {
    path,
    value: issue.input,
    remedy: 'See `dreamfold feedback --help`; a right answer is an object of texts, numbers, true and false.',
  });
}
