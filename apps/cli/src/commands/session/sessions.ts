import type { Command } from 'commander';
import { counted } from '../../render/counted.ts';
import { withData } from '../../data-directory.ts';
import { defineCommand, wholeNumber } from '../../define-command.ts';
import { gather } from '../../session/gather.ts';
import type { Io } from '../../io.ts';
import { oneLine } from '../../render/printable.ts';
import { sessionRow, type SessionRow } from '@dreamfold/views';
import { scoreText } from '../../render/score-text.ts';

export function register(program: Command, io: Io): void {
  defineCommand(program, {
    usage: 'sessions',
    summary: 'list the sessions, oldest first',
    description:
      'Lists all sessions of the data directory. A score in brackets is of an earlier turn: what was asked since is not graded. Works beside a process that runs them.',
    examples: ['sessions', 'sessions --limit 10', 'sessions --json'],
  })
    .option('--limit <n>', 'only the newest N', wholeNumber(1))
    .action(({ limit }: { limit?: number }, command: Command) => sessions({ limit, command }, io));
}

async function sessions({ limit, command }: { limit: number | undefined; command: Command }, io: Io): Promise<void> {
  await withData(command, { io, readOnly: true }, async (dreamfold) => {
    const all = await gather(dreamfold.sessions());
    const ids = limit === undefined ? all : all.slice(-limit);
    const bar = io.progress('reading sessions');
    const rows: SessionRow[] = [];
    const processor = dreamfold.processor();
    for (const id of ids) {
      rows.push(sessionRow(await dreamfold.session(id), processor));
      bar.update(rows.length, ids.length);
    }
    bar.stop();
    io.document({ sessions: rows, total: all.length });
    if (rows.length === 0) io.line(io.withTyped('No sessions yet. Run one: `dreamfold run team.ts "task"`'));
    else printRows(rows, io);
  });
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
