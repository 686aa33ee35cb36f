import { Option, type Command } from 'commander';
import { IMPORT_FORMATS, importFormat } from '@dreamfold/core';
import { checkImport, type CheckedImport, type ExportDamage, type ImportReport, type ImportRequest } from 'dreamfold';
import { counted } from '../render/counted.ts';
import { withData } from '../data-directory.ts';
import { defineCommand } from '../define-command.ts';
import { EXIT } from '../exit-code.ts';
import type { Io } from '../io.ts';
import { oneLine } from '../render/printable.ts';
import type { ProgressBar } from '../render/progress-bar.ts';
import { printShortList } from '../render/short-list.ts';

interface ImportFlags {
  format: string;
  agent?: string;
  model?: string;
  trustPrincipals?: true;
  tools?: string;
  skipBad?: true;
}

const SHOWN_NOTES = 10;

const ROW_HELP = `
A row of the format messages is a transcript with what came of it; all but the messages may be left out:
  {"principal": "acme", "outcome": 1, "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}
Fields of a row:
  messages     as the Messages API, the Chat API, the Responses API or LangChain has them; or input and output;
               or the row is the array of messages itself
  principal    whose request it was; evidence is counted in principals
  outcome      0 to 1, true or false, or {"score", "source", "reason"}
  feedback     [{"judges", "verdict", "right_answer", "reason", "by", "class", "created_at"}]: judges is the id of a tool call, or the place
               of an assistant message, from 0; verdict is right or wrong; right_answer has the fields of the call that would have been
               right; class is desk, person, grader or customer
  tools        with their schemas: a dream learns the choice among the values of an enum
  created_at   seconds or milliseconds since 1970, or ISO 8601; of a message too
  system, title, id, agent, model, confidence
docs/how-to/import-transcripts.md has an example of each.`;

export function register(program: Command, io: Io): void {
  const formats = IMPORT_FORMATS.map(({ name, file, description }) => `  ${name} (${file}): ${description}`).join('\n');
  defineCommand(program, {
    usage: 'import <file>',
    summary: 'turn recorded runs into sessions',
    description:
      'Reads recorded runs and writes them as finished sessions, with their outcomes. The whole file is checked first: when one row is bad, nothing is written, or with --skip-bad the rest is, and it ends with 1. Importing a file again adds nothing.',
    examples: [
      'import runs.jsonl --format messages',
      'import runs.jsonl --format messages --tools tools.json --skip-bad',
      'import gpt-4o-airline.json --format tau-bench',
      'import all.jsonl --format dreamfold',
    ],
  })
    .addOption(new Option('--format <name>', 'what the file holds').choices(IMPORT_FORMATS.map(({ name }) => name)).makeOptionMandatory())
    .option('--agent <name>', 'what the recorded agent is called, where the file does not say')
    .option('--model <name>', 'the model that it ran on, where the file does not say')
    .option(
      '--trust-principals',
      'whoever recorded the runs had checked who their principals are; otherwise these are only claimed. Of sessions that are there already nothing changes',
    )
    .option('--tools <file>', 'a JSON list of tools: the schemas of those that rows call without one')
    .option('--skip-bad', 'leave out what is bad and list it, instead of refusing the file')
    .addHelpText('after', `\nFormats:\n${formats}\n${ROW_HELP}`)
    .action((file: string, flags: ImportFlags, command: Command) => importFile({ file, flags, command }, io));
}

async function importFile({ file, flags, command }: { file: string; flags: ImportFlags; command: Command }, io: Io): Promise<void> {
  const bars = new Map<'check' | 'write', ProgressBar>();
  const request: ImportRequest = {
    file,
    format: importFormat(flags.format),
    ...(flags.agent === undefined ? {} : { agent: flags.agent }),
    ...(flags.model === undefined ? {} : { model: flags.model }),
    ...(flags.trustPrincipals === undefined ? {} : { trustPrincipals: flags.trustPrincipals }),
    ...(flags.tools === undefined ? {} : { tools: flags.tools }),
    ...(flags.skipBad === undefined ? {} : { skipBad: flags.skipBad }),
    onProgress: (phase, done, total) => {
      if (phase === 'write') bars.get('check')?.stop();
      const bar = bars.get(phase) ?? io.progress(phase === 'check' ? 'checking (bytes)' : 'importing');
      bars.set(phase, bar);
      bar.update(done, total);
    },
  };
  let checked: CheckedImport | null = null;
  // Without a log there is nothing that the file could go against, and a bad file is not to begin one.
  const beforeFirst = async (): Promise<void> => {
    checked = await checkImport(request, null);
  };
  try {
    const access = { io, readOnly: false, beforeFirst };
    const report = await withData(command, access, (dreamfold) => checked?.write(dreamfold.log) ?? dreamfold.import(request));
    io.document(report);
    printReport(report, io);
    const { missing = [], ended = [], lines = [] } = report.damage ?? {};
    if (report.skipped + missing.length + ended.length + lines.length > 0) io.exitCode = EXIT.failed;
  } finally {
    for (const bar of bars.values()) bar.stop();
  }
}

function printReport(report: ImportReport, io: Io): void {
  const { sessions, added, events, toolCalls, passed, failed, unscored, skipped, damage } = report;
  const there = sessions - added;
  io.line(
    `${counted(sessions, 'session')} with ${counted(toolCalls, 'tool call')}: ${passed} passed, ${failed} failed, ${unscored} without an outcome.`,
  );
  io.line(
    `${counted(added, 'session')} added (${counted(events, 'event')})${there > 0 ? `; ${there} there already, which stay as they are` : ''}.`,
  );
  const line = (path: string, said: string): string => `${oneLine(path, 200)}: ${oneLine(said, 200)}`;
  const notes = report.notes.map(({ path, note }) => line(path, note));
  printShortList(notes, { max: SHOWN_NOTES, what: 'remarks' }, io);
  if (skipped > 0) io.line(io.paint('yellow', `${counted(skipped, 'bad row')} left out:`));
  const bad = report.bad.map(({ path, reason }) => line(path, reason));
  printShortList(bad, { max: SHOWN_NOTES, of: skipped, what: 'bad rows' }, io);
  for (const hint of report.hints) io.line(io.paint('yellow', `Hint: ${oneLine(hint, 600)}`));
  if (damage !== undefined) printDamage(damage, io);
}

/** What of an export could not be restored: all of it, since nothing else tells it again line by line. */
function printDamage({ missing, ended, lines }: ExportDamage, io: Io): void {
  if (missing.length + ended.length + lines.length === 0) return io.line('Nothing of the file is bad.');
  if (missing.length > 0) io.line(`${counted(missing.length, 'event')} restored without the payload, which is bad:`);
  for (const { stream, seq, row, reason } of missing) io.line(`  ${stream}#${seq} (line ${row}): ${oneLine(reason, 200)}`);
  if (ended.length > 0) io.line(`${counted(ended.length, 'stream')} cut short, since what follows does not fit:`);
  for (const { stream, seq, events, row, reason } of ended) {
    const left = seq === 1 ? 'nothing is restored' : `ends after #${seq - 1}`;
    io.line(`  ${stream} ${left}, ${counted(events, 'event')} left out (line ${row}): ${oneLine(reason, 200)}`);
  }
  if (lines.length > 0) io.line(`${counted(lines.length, 'line')} of no use:`);
  for (const { row, reason } of lines) io.line(`  line ${row}: ${oneLine(reason, 200)}`);
}
