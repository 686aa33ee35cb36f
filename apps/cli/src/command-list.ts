import type { Command } from 'commander';
import type { Io } from './io.ts';

/** A command in the list that `--help` prints. What it needs is loaded when it runs. */
export interface ListedCommand {
  /** Its name and arguments, as the command itself gives them. */
  usage: string;
  summary: string;
  load: () => Promise<{ register: (program: Command, io: Io) => void }>;
}

/** In the order of the help. */
export const COMMAND_LIST: readonly ListedCommand[] = [
  { usage: 'demo', summary: 'watch a support team learn from feedback, and unlearn again', load: () => import('./commands/demo.ts') },
  { usage: 'init <dir>', summary: 'write a team of two specialists to start from', load: () => import('./commands/init.ts') },
  { usage: 'run <file> <task>', summary: 'give a task to the team in a file', load: () => import('./commands/session/run.ts') },
  {
    usage: 'resume <session> <file>',
    summary: 'go on with a session: after a crash, an approval, a message',
    load: () => import('./commands/session/resume.ts'),
  },
  {
    usage: 'worker <files...>',
    summary: 'run the sessions that others submit, as many processes as you like',
    load: () => import('./commands/worker.ts'),
  },
  { usage: 'sessions', summary: 'list the sessions, oldest first', load: () => import('./commands/session/sessions.ts') },
  {
    usage: 'show <session>',
    summary: 'the story of one session: threads, calls, decisions, scores',
    load: () => import('./commands/session/show.ts'),
  },
  { usage: 'tail [session]', summary: 'follow events as they are written', load: () => import('./commands/session/tail.ts') },
  { usage: 'replay [session]', summary: 'the state that the log leads to, at any event', load: () => import('./commands/replay.ts') },
  {
    usage: 'approve <session> [call]',
    summary: 'allow a tool call that waits for a person',
    load: () => import('./commands/session/approve.ts'),
  },
  {
    usage: 'deny <session> [call]',
    summary: 'refuse a tool call that waits for a person',
    load: () => import('./commands/session/deny.ts'),
  },
  {
    usage: 'grade <session> <criterion> <score>',
    summary: 'score a criterion that waits for a person',
    load: () => import('./commands/session/grade.ts'),
  },
  {
    usage: 'send <session> <message>',
    summary: 'write a message to the lead of a session',
    load: () => import('./commands/session/send.ts'),
  },
  { usage: 'interrupt <session>', summary: 'stop a session, whoever runs it', load: () => import('./commands/session/interrupt.ts') },
  {
    usage: 'feedback <session> <event>',
    summary: 'say what came of a call or a message later',
    load: () => import('./commands/session/feedback.ts'),
  },
  {
    usage: 'skip <session> <event>',
    summary: 'pass over an event that no Dreamfold knows, and that suspends its session',
    load: () => import('./commands/session/skip.ts'),
  },
  { usage: 'import <file>', summary: 'turn recorded runs into sessions', load: () => import('./commands/import.ts') },
  {
    usage: 'export [session...]',
    summary: 'write the log as lines of JSON, its events byte for byte',
    load: () => import('./commands/export.ts'),
  },
  { usage: 'erase [session]', summary: 'take out what was said, for good', load: () => import('./commands/erase.ts') },
  { usage: 'dream', summary: 'learn from finished sessions', load: () => import('./commands/memory/dream.ts') },
  { usage: 'dreamer', summary: 'dream by itself, after sessions or on a schedule', load: () => import('./commands/memory/dreamer.ts') },
  { usage: 'review', summary: 'decide on what dreams propose', load: () => import('./commands/memory/review.ts') },
  { usage: 'memory', summary: 'what teams remember: look, write, compare, roll back', load: () => import('./commands/memory/memory.ts') },
  {
    usage: 'doctor',
    summary: 'look at the log and what is around it: brokers, settings, lag, disk',
    load: () => import('./commands/doctor.ts'),
  },
  { usage: 'verify', summary: 'check that nothing on the log was changed or lost', load: () => import('./commands/verify.ts') },
  { usage: 'repair', summary: 'put a log back on Kafka from a replica', load: () => import('./commands/repair.ts') },
];

export function nameOf({ usage }: Pick<ListedCommand, 'usage'>): string {
  return usage.split(' ')[0]!;
}
