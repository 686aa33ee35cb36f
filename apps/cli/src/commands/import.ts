import { Option, type Command } from 'commander';
import { IMPORT_FORMATS, importFormat } from '@dreamfold/core';
import { checkImport, type CheckedImport, type ExportDamage, type ImportReport, type ImportRequest } from 'dreamfold';
import { counted } from '../counted.ts';
import { withData } from '../data-directory.ts';
import { defineCommand } from '../define-command.ts';
import type { Io } from '../io.ts';
import { oneLine } from '../printable.ts';
import type { ProgressBar } from '../progress-bar.ts';

interface ImportFlags {
  format: string;
  agent?: string;
  model?: string;
  skipBad?: boolean;
}

const SHOWN_NOTES = 10;

export function register(program: Command, io: Io): void {
  const formats = IMPORT_FORMATS.map(({ name, file, description }) => `  ${name} (${file}): ${description}`).join('\n');
  const row =
    '{"principal": "acme", "outcome": 1, "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}';
  defineCommand(program, {
    usage: 'import <file>',
    summary: 'turn recorded runs into sessions',
    description:
      'Reads recorded runs and writes them as finished sessions, with their outcomes. The whole file is checked first: when one row is bad, nothing is written, unless --skip-bad leaves out what is bad. Importing a file again adds nothing.',
    examples: [
      'import runs.jsonl --format messages',
      'import gpt-4o-airline.json --format tau-bench',
      'import all.jsonl --format dreamfold',
    ],
  })
    .addOption(new Option('--format <name>', 'what the file holds').choices(IMPORT_FORMATS.map(({ name }) => name)).makeOptionMandatory())
    .option('--agent <name>', 'what the recorded agent is called, where the file does not say')
    .option('--model <name>', 'the model that it ran on, where the file does not say')
    .option('--skip-bad', 'leave out what is bad, and list it, instead of writing nothing')
    .addHelpText('after', `\nFormats:\n${formats}\n\nA row of the format messages:\n  ${row}`)
    .action((file: string, flags: ImportFlags, command: Command) => importFile({ file, flags, command }, io));
}

async function importFile({ file, flags, command }: { file: string; flags: ImportFlags; command: Command }, io: Io): Promise<void> {
  const bars = new Map<'check' | 'write', ProgressBar>();
  const request: ImportRequest = {
    file,
    format: importFormat(flags.format),
    ...(flags.agent === undefined ? {} : { agent: flags.agent }),
    ...(flags.model === undefined ? {} : { model: flags.model }),
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
  } finally {
    for (const bar of bars.values()) bar.stop();
  }
}

function printReport({ sessions, added, events, toolCalls, passed, failed, unscored, notes, damage }: ImportReport, io: Io): void {
  const there = sessions - added;
  io.line(
    `${counted(sessions, 'session')} with ${counted(toolCalls, 'tool call')}: ${passed} passed, ${failed} failed, ${unscored} without an outcome.`,
  );
  io.line(`${counted(added, 'session')} added (${counted(events, 'event')})${there > 0 ? `; ${there} there already` : ''}.`);
  for (const { path, note } of notes.slice(0, SHOWN_NOTES)) io.line(`  ${oneLine(path, 200)}: ${oneLine(note, 200)}`);
  if (notes.length > SHOWN_NOTES) io.line(`  and ${notes.length - SHOWN_NOTES} more remarks; --json lists them`);
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
