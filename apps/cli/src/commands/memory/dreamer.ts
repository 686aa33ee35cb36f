import { Option, type Command } from 'commander';
import { isDreamfoldError, type Dreamfold, type DreamNews, type DreamReport, type DreamRule } from 'dreamfold';
import { counted } from '../../render/counted.ts';
import { stayWithData } from '../../data-directory.ts';
import { collect, defineCommand, wholeNumber } from '../../define-command.ts';
import type { Io } from '../../io.ts';
import { constitutionFor, RULES } from '../../input/rules-file.ts';
import { untilSignal } from '../../until-signal.ts';

interface DreamerFlags {
  store: string[];
  every?: number;
  schedule?: string;
  rules?: string;
  once?: true;
}

export function register(program: Command, io: Io): void {
  defineCommand(program, {
    usage: 'dreamer',
    summary: 'dream by itself, after sessions or on a schedule',
    description:
      'Stays and follows the log: dreams for each store after every finished session, or as --every and --schedule say, with one line on stderr for each dream. What finished before it was started counts too. Works beside the processes that run sessions; several dreamers never review the same sessions. Ctrl-C (or SIGTERM) ends it after the dream under way, a second one at once. While no broker answers it waits, but for --once. It gives up when a dream of a store has failed three times in a row for the same reason.',
    examples: [
      'dreamer --store support',
      'dreamer --store support --every 500 --schedule "0 3 * * *"',
      'dreamer --store support --store sales --rules rules.txt --once',
    ],
  })
    .requiredOption('--store <name>', 'a memory store to dream for, by name or id; may be repeated', collect)
    .option('--every <n>', 'dream when so many finished sessions have something new; default 1 without --schedule', wholeNumber(1))
    .option('--schedule <cron>', 'dream at these times if anything is new: minute hour day month weekday, local time')
    .option(...RULES)
    .addOption(new Option('--once', 'dream what is due now, and end').conflicts('schedule'))
    .action((flags: DreamerFlags, command: Command) => dream(flags, command, io));
}

async function dream(flags: DreamerFlags, command: Command, io: Io): Promise<void> {
  const dreams: object[] = [];
  await untilSignal(io, 'Ending after the dream under way; once more to end at once.', (until) =>
    stayWithData(command, { io, readOnly: false, mustExist: true, until, waits: flags.once !== true }, async (dreamfold) => {
      const constitution = await constitutionFor(command, flags.rules);
      for (const store of flags.store) await dreamfold.memory.load(store);
      const rules = flags.store.map((store) => ({ store, constitution, ...timesOf(flags) }));
      await keepDreaming(dreamfold, { rules, once: flags.once === true, io, signal: until, dreams });
    }),
  );
  io.document({ dreams });
}

function timesOf({ every, schedule }: DreamerFlags): Pick<DreamRule, 'after' | 'schedule'> {
  return { ...(every === undefined ? {} : { after: every }), ...(schedule === undefined ? {} : { schedule }) };
}

interface Dreaming {
  rules: readonly DreamRule[];
  once: boolean;
  io: Io;
  signal: AbortSignal;
  /** What was dreamt, for `--json`. */
  dreams: object[];
}

async function keepDreaming(dreamfold: Dreamfold, { rules, once, io, signal, dreams }: Dreaming): Promise<void> {
  if (!once) io.news('Following the log; Ctrl-C ends it.');
  const idle = new Set(rules.map(({ store }) => store));
  const onDream = (news: DreamNews): void => {
    if (news.type !== 'stopped') idle.delete(news.store);
    const said = lineOf(news);
    if (said !== null) io.news(said);
    if (io.json && news.type === 'dreamt') dreams.push({ store: news.store, dreamId: news.report.dreamId, ...countsOf(news.report) });
  };
  await dreamfold.keepDreaming({ rules, once, signal, onDream });
  if (once && idle.size > 0 && !signal.aborted) io.news(`nothing was due for ${[...idle].join(', ')}`);
}

/** @returns null for the end of it all, which the error itself tells */
function lineOf(news: DreamNews): string | null {
  switch (news.type) {
    case 'dreamt': {
      const { sessions, decisions, labelled, applied, proposed, rejected } = countsOf(news.report);
      const read = `${counted(sessions, 'session')}, ${counted(decisions, 'decision')}, ${labelled} with feedback`;
      return `${news.store} ${news.report.dreamId}: ${read}; ${applied} applied, ${proposed} proposed, ${rejected} rejected`;
    }
    case 'claimed_elsewhere':
      return `${news.store}: another dreamer was faster`;
    case 'failed': {
      const code = isDreamfoldError(news.error) ? `${news.error.code} ` : '';
      const message = news.error instanceof Error ? news.error.message : String(news.error);
      return `${news.store}: the dream failed (${news.failures} in a row): ${code}${message}`;
    }
    case 'stopped':
      return null;
  }
}

function countsOf({ reviewed, insights }: DreamReport): Record<'applied' | 'proposed' | 'rejected', number> & DreamReport['reviewed'] {
  const rejected = insights.filter(({ gates }) => gates.some(({ pass }) => !pass)).length;
  const applied = insights.filter(({ status }) => status === 'applied').length;
  const proposed = insights.filter(({ status }) => status === 'validated').length;
  return { ...reviewed, applied, proposed, rejected };
}
