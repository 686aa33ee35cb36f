import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { DreamfoldError } from '@dreamfold/events/errors';
import { redacted } from '@dreamfold/log-kafka/kafka-url';
import { dataDirectory, logUrl, withData } from '../data-directory.ts';
import { defineCommand } from '../define-command.ts';
import { DEMO_RULE, runDemo } from '../demo/run-demo.ts';
import { tellStory } from '../demo/story.ts';
import type { Io } from '../io.ts';
import { DEFAULT_RULES } from '../input/rules-file.ts';

export function register(program: Command, io: Io): void {
  defineCommand(program, {
    usage: 'demo',
    summary: 'watch a support team learn from feedback, and unlearn again',
    description:
      'Handles a day of support tickets with a lead and two specialists, records what the receiving desks say of it, dreams, approves what ' +
      'the dream proposes, handles the next day with it, rolls it back and handles that day again.\n\n' +
      'The model is scripted: no key, no network. The data stays in the data directory; a second run adds to it.',
    examples: ['demo', 'demo --data /tmp/demo', 'demo --json'],
  }).action(async (_options: unknown, command: Command) => {
    if (logUrl(command) !== null) throw notOnShared(command);
    await withData(command, { io, readOnly: false }, async (dreamfold) => {
      const bar = io.progress('tickets');
      const report = await runDemo(dreamfold, { onProgress: (done, total) => bar.update(done, total) }).finally(() => bar.stop());
      // What its dreams kept to holds for whoever edits their proposals.
      const rules = join(dataDirectory(command), DEFAULT_RULES);
      if (!existsSync(rules)) writeFileSync(rules, `${DEMO_RULE}\n`);
      tellStory(io, report);
      io.document(report);
    });
  });
}

/** Its sessions would stand among those of others, and its stores be dreamt for, for ever. */
function notOnShared(command: Command): DreamfoldError {
  return new DreamfoldError('invalid_argument', 'The demo writes some 30 sessions, and does not write them to a log that others share', {
    path: '--log',
    value: redacted(logUrl(command)!),
    remedy: 'Leave --log out and DREAMFOLD_LOG empty: it then stays in the data directory.',
  });
}
