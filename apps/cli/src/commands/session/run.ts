import { Option, type Command } from 'commander';
import { Caps } from '@dreamfold/events';
import { checkRun, DreamfoldError, type AgentDefinition, type RunOptions } from 'dreamfold';
import { withData } from '../../data-directory.ts';
import { collect, defineCommand } from '../../define-command.ts';
import { driveSession } from '../../session/drive-session.ts';
import { EventLines } from '../../render/event-lines.ts';
import type { Io } from '../../io.ts';
import { ATTACH, withAttachments } from '../../input/attachments.ts';
import { loadRubric, loadTeam, withModel, type TeamFile } from '../../input/load-team.ts';
import { oneLine, shellWord } from '../../render/printable.ts';
import { noteStandIns } from '../../session/stand-in.ts';
import { besideProcessor } from '../../session/unattended.ts';

interface RunFlags {
  model?: string;
  principal?: string;
  authenticated?: true;
  title?: string;
  rubric?: string;
  memory?: string[];
  caps?: string[];
  attach?: string[];
  quiet?: true;
  wait?: true;
  detach?: true;
}

export function register(program: Command, io: Io): void {
  defineCommand(program, {
    usage: 'run <file> <task>',
    summary: 'give a task to the team in a file',
    description:
      'Imports FILE, which exports the lead as its default (or { lead, rubric, memory, caps, principal }), runs the task, and shows every event as it happens; then the answer, tokens and cost. When a call needs approval, it asks on a terminal; elsewhere it prints the command that approves and ends with 5, or with --wait waits for it. Ctrl-C interrupts the session, a second one leaves at once.',
    examples: [
      'run team.ts "Where is order 17?"',
      'run team.ts "Where is order 17?" --principal customer-4 --authenticated --memory support --caps tokens=50000,turns=20',
      'run team.ts "Where is order 17?" --model claude-opus-5 --json',
      'run team.ts "What is on this invoice?" --attach invoice.pdf',
      'run team.ts "Where is order 17?" --detach',
    ],
  })
    .option('--model <name>', 'the model of every agent: scripted, or claude-…')
    .option('--principal <name>', 'whose request it is: a customer, a tenant, a repository')
    .option(
      '--authenticated',
      'you have checked that the principal is who it says; otherwise it is only claimed, and a store that applies changes by itself does not count it',
    )
    .option('--title <text>', 'what the session is called in lists')
    .option('--rubric <file>', 'a file whose default export is a rubric')
    .option('--memory <store>', 'a memory store that the agents read; may be repeated', collect)
    .option('--caps <name=value>', `limits of the session: ${Object.keys(Caps.shape).join(', ')}; may be repeated`, collect)
    .option(...ATTACH, collect)
    .option('--quiet', 'only the result')
    .option('--wait', 'when it waits for a person, do not ask here, but wait for the word from another terminal')
    .addOption(
      new Option('--detach', 'only put the task on the log, for a `dreamfold worker`, and print the id of its session').conflicts([
        'wait',
        'quiet',
      ]),
    )
    .action((...[file, task, flags, command]: [string, string, RunFlags, Command]) => run({ file, task, flags, command }, io));
}

interface Run {
  file: string;
  task: string;
  flags: RunFlags;
  command: Command;
}

async function run({ file, task, flags, command }: Run, io: Io): Promise<void> {
  const team = await loadTeam(file);
  const options = await runOptions(team, flags);
  const lead: AgentDefinition = flags.model === undefined ? team.lead : withModel(team.lead, flags.model);
  // Checked before a data directory is made for it; there is no memory store to find in a new one.
  const said = await withAttachments(task, flags.attach);
  checkRun(lead, said, { rubric: options.rubric, principal: options.principal });
  await withData(command, { io, readOnly: false, mustExist: (options.memory ?? []).length > 0 }, async (dreamfold) => {
    const { quiet = false, wait = false, detach = false } = flags;
    if (detach) {
      const sessionId = await dreamfold.submit(lead, said, options);
      io.document({ sessionId });
      io.line(sessionId);
      return;
    }
    if (!quiet && !io.json) noteStandIns(lead, io);
    const session = await dreamfold.run(lead, said, options).catch((error: unknown) => {
      throw besideProcessor(error, (pid) => detachInstead(pid, { file, task, attach: flags.attach }));
    });
    await driveSession(session, { io, command, file, lines: new EventLines(io), quiet, wait });
  });
}

/** A worker runs what others put on the log; any other process has to end first. */
function detachInstead(pid: string, { file, task, attach = [] }: { file: string; task: string; attach?: string[] | undefined }): string {
  const attached = attach.map((name) => ` --attach ${shellWord(name)}`).join('');
  const word = task.length <= 80 ? shellWord(oneLine(task, 80)) : 'TASK';
  return (
    `If process ${pid} is a worker, let it do this: \`dreamfold run ${shellWord(file)} ${word}${attached} --detach\`. ` +
    `Otherwise stop process ${pid}, or use another data directory. Looking at the log needs no lock.`
  );
}

async function runOptions(team: TeamFile, flags: RunFlags): Promise<RunOptions> {
  const { lead: _, ...options } = team;
  return {
    ...options,
    ...principalOption(team, flags),
    ...(flags.title === undefined ? {} : { title: flags.title }),
    ...(flags.rubric === undefined ? {} : { rubric: await loadRubric(flags.rubric) }),
    ...(flags.memory === undefined ? {} : { memory: flags.memory }),
    ...(flags.caps === undefined ? {} : { caps: { ...options.caps, ...parseCaps(flags.caps) } }),
  };
}

/** @throws DreamfoldError invalid_argument */
function principalOption(team: TeamFile, { principal: named, authenticated }: RunFlags): Pick<RunOptions, 'principal'> {
  if (authenticated === undefined) return named === undefined ? {} : { principal: named };
  const { principal: given } = team;
  const id = named ?? (typeof given === 'object' ? given.id : given);
  if (id !== undefined) return { principal: { id, authenticated } };
  throw new DreamfoldError('invalid_argument', '--authenticated says nothing without a principal', {
    path: '--authenticated',
    remedy: 'Name the principal with --principal.',
  });
}

/** @throws DreamfoldError invalid_argument */
function parseCaps(given: readonly string[]): NonNullable<RunOptions['caps']> {
  const caps: Record<string, number> = {};
  for (const pair of given.flatMap((text) => text.split(','))) {
    const [, name, value] = /^\s*(\w+)\s*=\s*(\S+)\s*$/.exec(pair) ?? [];
    if (name === undefined || value === undefined) throw wrongCap(pair, 'is not name=value');
    if (!/^\d+(?:\.\d+)?$/.test(value)) throw wrongCap(pair, `${name} is ${value}, and has to be a number from 0 on`);
    caps[name] = Number(value);
  }
  const checked = Caps.partial().strict().safeParse(caps);
  if (checked.success) return caps;
  const issue = checked.error.issues[0]!;
  throw wrongCap(JSON.stringify(caps), [...issue.path, issue.message].join(': '));
}

function wrongCap(value: string, what: string): DreamfoldError {
  return new DreamfoldError('invalid_argument', `--caps ${value}: ${what}`, {
    path: '--caps',
    value,
    remedy: `Give name=value, with a name of ${Object.keys(Caps.shape).join(', ')}.`,
  });
}
