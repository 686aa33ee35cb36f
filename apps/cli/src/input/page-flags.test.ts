import { PassThrough } from 'node:stream';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { ioOf } from '../testing/terminal.ts';
import { tellNext, withPages } from './page-flags.ts';
import { timeGiven } from './time-given.ts';

test('the next page is that of the same list: what narrows it is typed again', async () => {
  const program = new Command('dreamfold');
  const stdout = new PassThrough({ encoding: 'utf8' });
  const io = ioOf({ stdout });
  withPages(program.command('review').command('list'))
    .option('--title <text>')
    .option('--since <time>', '', timeGiven)
    .option('--all')
    .action((_, command: Command) => tellNext('patch_9', command, io));
  const flags = ['--limit', '2', '--after', 'patch_4', '--title', "it's late", '--since', '2026-11-21', '--all'];
  await program.parseAsync(['review', 'list', ...flags], { from: 'user' });
  const title = String.raw`'it'\''s late'`;
  expect(stdout.read()).toContain(`review list --limit 2 --title ${title} --since 2026-11-21T00:00:00.000Z --all --after patch_9\n`);
});
