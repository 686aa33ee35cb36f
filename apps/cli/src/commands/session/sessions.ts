import { Option, type Command } from 'commander';
import { OUTCOME_STATUSES, SESSION_STATUSES, type SessionRow } from '@dreamfold/views';
import type { Dreamfold, SessionQuery } from 'dreamfold';
import { counted } from '../../render/counted.ts';
import { withData } from '../../data-directory.ts';
import { defineCommand } from '../../define-command.ts';
import { isPage, listing, pageQuery, tellCount, tellNext, withPages, type PageFlags } from '../../input/page-flags.ts';
import { timeGiven } from '../../input/time-given.ts';
import type { Io } from '../../io.ts';
import { oneLine } from '../../render/printable.ts';
import { scoreText } from '../../render/score-text.ts';

interface Flags extends PageFlags, Omit<SessionQuery, 'limit' | 'after'> {}

export function register(program: Command, io: Io): void {
  const command = defineCommand(program, {
    usage: 'sessions',
    summary: 'list the sessions, oldest first',
    description:
      'Lists all sessions of the data directory, or a page of them, the newest first. Filters add up. A score in brackets is of an earlier turn: what was asked since is not graded. Works beside a process that runs them.',
    examples: ['sessions', 'sessions --limit 10', 'sessions --status requires_action --agent desk --since 7d', 'sessions --count --json'],
  });
  withPages(command)
    .addOption(new Option('--status <status>', 'only those that are so').choices(SESSION_STATUSES))
    .option('--agent <name>', 'only those of this lead')
    .option('--principal <name>', 'only those of this principal')
    .addOption(new Option('--outcome <outcome>', 'only those whose outcome is so').choices(OUTCOME_STATUSES))
    .option('--since <time>', 'begun at this time or later: a date and time, or 24h, 7d, …', timeGiven)
    .option('--until <time>', 'begun before this time', timeGiven)
    .option('--title <text>', 'only those with this in their title or task')
    .action((_: Flags, given: Command) => withData(given, { io, readOnly: true }, (dreamfold) => sessions(dreamfold, given, io)));
}

async function sessions(dreamfold: Dreamfold, command: Command, io: Io): Promise<void> {
  const flags = command.opts<Flags>();
  const { limit: _, after, count, ...filters } = flags;
  const { rows, total, next } = await listing(io, (onProgress) =>
    dreamfold.lists.sessions({ ...filters, ...pageQuery(flags), onProgress }),
  );
  if (count === true) return tellCount(total, io);
  io.document({ sessions: rows, total, ...(isPage(flags) ? { next } : {}) });
  const isAll = Object.keys(filters).length === 0 && after === undefined;
  if (rows.length > 0) printRows(rows, io);
  else io.line(isAll ? io.withTyped('No sessions yet. Run one: `dreamfold run team.ts "task"`') : 'No such session.');
  tellNext(next, command, io);
}

/** What it waits for comes before what becomes of its outcome; what an earlier turn came to says nothing of the newest one. */
function statusOf({ status, outcome, outcomeIsEarlier }: SessionRow): string {
  return status === 'end_turn' && !outcomeIsEarlier ? (outcome ?? status) : status;
}

/** The score of an earlier turn is in brackets. */
function scoreOf({ score, outcomeIsEarlier }: SessionRow): string {
  return outcomeIsEarlier ? `(${scoreText(score)})` : scoreText(score);
}

function printRows(rows: readonly SessionRow[], io: Io): void {
  io.table(rows, [
    { title: 'SESSION', value: (row) => row.id },
    { title: 'TASK', value: (row) => oneLine(row.title, 40), shrinksTo: 12 },
    { title: 'PRINCIPAL', value: (row) => oneLine(row.principal, 20), shrinksTo: 9, hides: 2 },
    { title: 'STATUS', value: statusOf },
    { title: 'SCORE', value: scoreOf, align: 'right', hides: 4 },
    { title: 'EVENTS', value: (row) => row.events, align: 'right', hides: 1 },
    { title: 'TIME', value: (row) => row.updatedAt.slice(0, 19).replace('T', ' '), shrinksTo: 11, hides: 3 },
  ]);
  const left = rows.filter(({ status }) => status === 'unattended').length;
  if (left > 0)
    io.line(io.withTyped(`\n${counted(left, 'session')} unattended: nobody runs it. It goes on with \`dreamfold resume SESSION FILE\`.`));
}
