import { Option, type Command } from 'commander';
import { IMPORT_FORMATS, importFormat } from '@dreamfold/core';
import { checkImport, DreamfoldError, type CheckedImport, type ImportReport, type ImportRequest } from 'dreamfold';
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
  trustPrincipals?: true;
}

const SHOWN_NOTES = 10;

export function register(program: Command, io: Io): void {
  const formats = IMPORT_FORMATS.map(({ name, file, description }) => `  ${name} (${file}): ${description}`).join('\n');
  const row =
    '{"principal": "acme", "outcome": 1, "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}';
  const feedback =
    '"feedback": [{"judges": "t1", "verdict": "wrong", "right_answer": {"queue": "billing"}, "by": "billing desk", "class": "desk"}]';
  defineCommand(program, {
    usage: 'import <file>',
    summary: 'turn recorded runs into sessions',
    description:
      'Reads recorded runs and writes them as finished sessions, with their outcomes. The whole file is checked first: when one row is bad, nothing is written. Importing a file again adds nothing.',
    examples: [
      'import runs.jsonl --format messages',
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
    .addHelpText(
      'after',
      `\nFormats:\n${formats}\n\nA row of the format messages:\n  ${row}\n\nFeedback in a row (judges: the id of a tool call, or the place of a message, from 0):\n  ${feedback}`,
    )
    .action((file: string, flags: ImportFlags, command: Command) => importFile({ file, flags, command }, io));
}

async function importFile({ file, flags, command }: { file: string; flags: ImportFlags; command: Command }, io: Io): Promise<void> {
  const bars = new Map<'check' | 'write', ProgressBar>();
  const request: ImportRequest = {
    file,
    format: importFormat(flags.format),
    ...(flags.agent === undefined ? {} : { agent: flags.agent }),
    ...(flags.model === undefined ? {} : { model: flags.model }),
    ...(flags.trustPrincipals === undefined ? {} : { trustPrincipals: trusted(flags) }),
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

/** @throws DreamfoldError invalid_argument */
function trusted({ format }: ImportFlags): true {
  if (format !== 'dreamfold') return true;
  throw new DreamfoldError('invalid_argument', 'An export says itself of each session whether its principal was authenticated', {
    path: '--trust-principals',
    value: format,
    remedy: 'Leave --trust-principals out.',
  });
}

function printReport({ sessions, added, events, toolCalls, passed, failed, unscored, notes }: ImportReport, io: Io): void {
  const there = sessions - added;
  io.line(
    `${counted(sessions, 'session')} with ${counted(toolCalls, 'tool call')}: ${passed} passed, ${failed} failed, ${unscored} without an outcome.`,
  );
  io.line(`${counted(added, 'session')} added (${counted(events, 'event')})${there > 0 ? `; ${there} there already` : ''}.`);
  for (const { path, note } of notes.slice(0, SHOWN_NOTES)) io.line(`  ${oneLine(path, 200)}: ${oneLine(note, 200)}`);
  if (notes.length > SHOWN_NOTES) io.line(`  and ${notes.length - SHOWN_NOTES} more remarks; --json lists them`);
}
