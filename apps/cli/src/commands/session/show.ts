import type { Command } from 'commander';
import type { LogEvent } from '@dreamfold/events';
import { evolveSession, initialSession, type SessionState } from '@dreamfold/core';
import type { VerifyProblem } from 'dreamfold';
import { counted } from '../../render/counted.ts';
import { withData } from '../../data-directory.ts';
import { defineCommand, wholeNumber } from '../../define-command.ts';
import { EventLines } from '../../render/event-lines.ts';
import { EXIT } from '../../exit-code.ts';
import { findSession } from '../../session/find-session.ts';
import { gather } from '../../session/gather.ts';
import type { Io } from '../../io.ts';
import { oneLine } from '../../render/printable.ts';
import { sha256 } from '@dreamfold/runtime';
import {
  evolveCosts,
  evolveEffects,
  idempotencyKeyOf,
  initialEffects,
  NO_COSTS,
  sessionRow,
  type Effect,
  type SessionRow,
} from '@dreamfold/views';
import { scoreText } from '../../render/score-text.ts';
import { tellUnattended } from '../../session/unattended.ts';
import { printWaiting, waitingFor } from '../../session/waiting.ts';

export function register(program: Command, io: Io): void {
  defineCommand(program, {
    usage: 'show <session>',
    summary: 'the story of one session: threads, calls, decisions, scores',
    description:
      'Shows a session event by event: who said what to whom, tool calls with their results, decisions with their confidence, scores by criterion, feedback. SESSION is an id or its beginning. --json gives every event as it is on the log. Works beside a process that runs it.',
    examples: ['show sesn_4k2', 'show sesn_4k2 --limit 20', 'show sesn_4k2 --json'],
  })
    .option('--limit <n>', 'only the newest N events', wholeNumber(1))
    .action((prefix: string, { limit }: { limit?: number }, command: Command) => show({ prefix, limit, command }, io));
}

async function show({ prefix, limit, command }: { prefix: string; limit: number | undefined; command: Command }, io: Io): Promise<void> {
  await withData(command, { io, readOnly: true }, async (dreamfold) => {
    const id = await findSession(dreamfold, prefix);
    const events = await gather(dreamfold.events(id));
    const state = events.reduce(evolveSession, initialSession(id));
    const from = limit === undefined ? 0 : Math.max(0, events.length - limit);
    const waiting = waitingFor(state, io);
    const problems = await dreamfold.verifySession(id);
    if (problems.length > 0) io.exitCode = EXIT.store;
    const session = sessionRow(state, dreamfold.processor());
    const effects = effectsOf(id, events);
    const { agents, graders } = events.reduce(evolveCosts, NO_COSTS);
    io.document({
      session,
      waiting: [...waiting.calls, ...waiting.scores],
      costs: { agents, graders },
      effects,
      problems,
      events: events.slice(from),
    });
    if (io.json) return;
    printHeader(state, session, io);
    printEffects(effects, io);
    printEvents(events, { from, problems }, io);
    if (problems.length > 0) tellProblems(problems, io);
    if (session.status === 'unattended') tellUnattended(id, io);
    if (waiting.calls.length + waiting.scores.length === 0) return;
    io.line('It waits for a person:');
    printWaiting(state, io);
  });
}

/** What the tools did, each with the key that it was given to recognise the same call by. */
function effectsOf(session: string, events: readonly LogEvent[]): (Effect & { idempotencyKey: string })[] {
  const { effects } = events.reduce(evolveEffects, initialEffects(session));
  return effects.map((effect) => ({ ...effect, idempotencyKey: idempotencyKeyOf(session, effect, sha256) }));
}

/** Of effects that nobody knows to have happened or not to have happened, somebody should know. */
function printEffects(effects: readonly Effect[], io: Io): void {
  const unknown = effects.filter(({ status }) => status === 'unknown');
  if (unknown.length === 0) return;
  const calls = unknown.map(({ seq, tool }) => `event ${seq}, ${oneLine(tool, 64)}`).join('; ');
  io.line(io.paint('yellow', `Nobody knows whether this ran, and it is not safe to run twice: ${calls}.\n`));
}

function printHeader(state: SessionState, row: SessionRow, io: Io): void {
  const seconds = (Math.max(0, state.now - state.createdAt) / 1000).toFixed(1);
  const fields: [string, string][] = [
    ['session', row.id],
    ['task', oneLine(row.title, 400)],
    ['principal', `${oneLine(row.principal, 200)}${row.authenticated ? ' (authenticated)' : ''}`],
    ['status', `${row.status}${state.error === null ? '' : `: ${oneLine(state.error, 400)}`}`],
    ['outcome', outcomeText(row)],
    ['threads', state.threads.map((t) => `${'> '.repeat(t.depth)}${oneLine(t.agent, 64)}`).join(', ')],
    ['memory', state.memory.map((pin) => `${pin.store} version ${pin.version}`).join(', ') || 'none'],
    ...fromOf(state),
    ['events', `${row.events} in ${seconds} s from ${row.createdAt}`],
  ];
  for (const [name, value] of fields) io.line(value, io.paint('dim', name.padEnd(10)));
  io.line();
}

function outcomeText({ score, outcome, outcomeIsEarlier }: SessionRow): string {
  if (score === null && outcome === null) return 'none';
  const earlier = outcomeIsEarlier ? ', of an earlier turn; no rubric applies to the newest one' : '';
  return `${outcome?.replaceAll('_', ' ') ?? 'imported'}, score ${scoreText(score)}${earlier}`;
}

/** Who ran it the log does not say, only where it was imported from. */
function fromOf({ imported }: SessionState): [string, string][] {
  return imported === null ? [] : [['from', oneLine(`${imported.format} ${imported.source}:${imported.row}`, 400)]];
}

interface Shown {
  from: number;
  problems: readonly VerifyProblem[];
}

function printEvents(events: readonly LogEvent[], { from, problems }: Shown, io: Io): void {
  const lines = new EventLines(io);
  const start = events[0]?.time ?? 0;
  const width = String(events.length).length;
  for (const [i, event] of events.entries()) {
    const told = [...lines.of(event), ...problems.filter(({ seq }) => seq === event.seq).map((problem) => changed(problem, io))];
    if (i < from) continue;
    const seconds = `${((event.time - start) / 1000).toFixed(2)}s`.padStart(8);
    for (const [n, line] of told.entries()) {
      const place = n === 0 ? `${String(event.seq).padStart(width)} ${seconds}` : ' '.repeat(width + 9);
      io.line(line, `${io.paint('dim', place)}  `);
    }
  }
}

function changed({ problem }: VerifyProblem, io: Io): string {
  return io.paint(['bold', 'red'], `NOT AS WRITTEN: ${problem}`);
}

/** Events that were left out of the list, or that are no longer there, may be among them. */
function tellProblems(problems: readonly VerifyProblem[], io: Io): void {
  const places = problems.map(({ seq }) => (seq === null ? 'the log' : `event ${seq}`));
  io.line(
    io.withTyped(
      `${io.paint(['bold', 'red'], counted(problems.length, 'problem'))}, at ${places.slice(0, 10).join(', ')}: somebody or something has changed what was written. See \`dreamfold verify\`.`,
    ),
  );
}
