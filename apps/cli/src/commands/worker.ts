import type { Command } from 'commander';
import { isDreamfoldError, type DreamfoldError, type WorkerNews, type WorkOptions } from 'dreamfold';
import { stayWithData } from '../data-directory.ts';
import { defineCommand, wholeNumber } from '../define-command.ts';
import type { Io } from '../io.ts';
import { loadTeam, withModel } from '../input/load-team.ts';
import { untilSignal } from '../until-signal.ts';

/** The log is opened again so often in a row; one that is then still not what it was needs a person. */
const MAX_REOPENED = 3;
/** A worker that lived for so long had not the same trouble as the one before it. */
const SETTLED_MS = 60_000;

interface WorkerFlags {
  concurrency?: number;
  model?: string;
}

interface Counts {
  rested: number;
  handed_over: number;
  lost: number;
  left: number;
  failed: number;
}

export function register(program: Command, io: Io): void {
  defineCommand(program, {
    usage: 'worker <files...>',
    summary: 'run the sessions that others submit, as many processes as you like',
    description:
      'Stays and runs the sessions of the teams in FILES: those put on the log with `run --detach`, those that are sent something while they rest, and those whose worker is gone. With --log kafka://… workers share the sessions, and one that dies or hangs loses its own to the others; in a data directory one process at a time runs sessions. A line on stderr for each. Ctrl-C (or SIGTERM) lets go of what is under way, for the next worker; a second one ends it at once. While no broker answers it waits. It ends with an error when the log fails, or when one session after another fails by a fault of the program.',
    examples: ['worker team.ts', 'worker team.ts --log kafka://localhost:9092/acme --concurrency 200'],
  })
    .option('--concurrency <n>', 'sessions under way at once, not counting those that wait for a person; default 100', wholeNumber(1))
    .option('--model <name>', 'the model of every agent')
    .action((...[files, flags, command]: [string[], WorkerFlags, Command]) => work({ files, flags, command }, io));
}

async function work({ files, flags, command }: { files: string[]; flags: WorkerFlags; command: Command }, io: Io): Promise<void> {
  const { concurrency, model } = flags;
  const teams: WorkOptions['teams'][number][] = [];
  for (const file of files) {
    const { lead, rubric } = await loadTeam(file);
    teams.push({ lead: model === undefined ? lead : withModel(lead, model), ...(rubric === undefined ? {} : { rubric }) });
  }
  const counts: Counts = { rested: 0, handed_over: 0, lost: 0, left: 0, failed: 0 };
  const onNews = (news: WorkerNews): void => {
    io.news(lineOf(news));
    if (news.type in counts) counts[news.type as keyof Counts] += 1;
  };
  const options = { teams, onNews, ...(concurrency === undefined ? {} : { concurrency }) };
  await untilSignal(io, 'Letting go of the sessions under way; once more to end at once.', (signal) =>
    keepWorking({ ...options, signal }, { command, io }),
  );
  io.document(counts);
}

/** A log that is not as it was read is opened again, where it still is the same one: none is ever begun in the place of one that was there. */
async function keepWorking(options: WorkOptions & { signal: AbortSignal }, { command, io }: { command: Command; io: Io }): Promise<void> {
  for (let reopened = 0; ; reopened += 1) {
    const startedAt = performance.now();
    const again = reopened === 0 ? {} : { mustExist: true, isAgain: true };
    let wasOpen = false;
    try {
      await stayWithData(command, { io, readOnly: false, until: options.signal, waits: true, ...again }, async (dreamfold) => {
        wasOpen = true;
        io.news('Waiting for sessions; Ctrl-C ends it.');
        await dreamfold.work(options);
      });
      return;
    } catch (error) {
      if (performance.now() - startedAt > SETTLED_MS) reopened = 0;
      const mayBeWhole = isDreamfoldError(error, 'log_diverged') && wasOpen && reopened < MAX_REOPENED;
      if (!mayBeWhole || options.signal.aborted) throw error;
      io.news(`${told(error)} The log is opened again.`);
    }
  }
}

function lineOf(news: WorkerNews): string {
  switch (news.type) {
    case 'assigned':
      return `working on ${news.partitions.length === 0 ? 'nothing for now' : `the sessions of partition ${news.partitions.join(', ')}`}`;
    case 'taken':
      return `${news.session} taken`;
    case 'rested':
      return `${news.session} ${news.result.stopReason.type}`;
    case 'handed_over':
      return `${news.session} handed over: its partition is another worker's`;
    case 'lost':
      return `${news.session} lost: another process has claimed it`;
    case 'left':
      return `${news.session} left alone: ${told(news.error)}`;
    case 'failed':
      return `${news.session} failed here: ${isDreamfoldError(news.error) ? told(news.error) : String(news.error)}`;
  }
}

function told({ code, message, remedy }: DreamfoldError): string {
  return `${code} ${message}. ${remedy}`;
}
