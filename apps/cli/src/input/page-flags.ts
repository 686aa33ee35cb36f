import type { PageQuery } from '@dreamfold/projections';
import type { Command } from 'commander';
import { wholeNumber } from '../define-command.ts';
import type { Io } from '../io.ts';
import { shellWord } from '../render/printable.ts';

/** Which part of a list somebody asked for. */
export interface PageFlags {
  limit?: number;
  after?: string;
  count?: true;
}

/** The options of a command that lists. */
export function withPages(command: Command): Command {
  return command
    .option('--limit <n>', 'only N, the newest first', wholeNumber(1))
    .option('--after <id>', 'the page after the one that ended with this id')
    .option('--count', 'only how many there are');
}

/** Whether a part of the list was asked for, and not all of it. */
export function isPage({ limit, after }: PageFlags): boolean {
  return limit !== undefined || after !== undefined;
}

/** All rows, the oldest first, unless a page is asked for: pages begin with the newest. */
export function pageQuery(flags: PageFlags): PageQuery {
  const { limit, after, count } = flags;
  if (count === true) return { limit: 0 };
  return {
    order: isPage(flags) ? 'newest' : 'oldest',
    ...(limit === undefined ? {} : { limit }),
    ...(after === undefined ? {} : { after }),
  };
}

/** Runs what lists, and shows how far it has come where there is much to fold first. */
export async function listing<T>(io: Io, list: (onProgress: (done: number, total: number) => void) => Promise<T>): Promise<T> {
  const bar = io.progress('reading the log');
  try {
    return await list((done, total) => bar.update(done, total));
  } finally {
    bar.stop();
  }
}

/** Says how many there are, for `--count`. */
export function tellCount(total: number, io: Io): void {
  io.document({ total });
  io.line(String(total));
}

/** Says how the list goes on, where there is more of it: the same command, with the same options, after this page. */
export function tellNext(next: string | null, command: Command, io: Io): void {
  if (next === null) return;
  const flags = command.options.flatMap((option) => {
    const value: unknown = command.getOptionValue(option.attributeName());
    return value === undefined || option.long === '--after'
      ? []
      : [option.long!, ...(value === true ? [] : [shellWord(typedValue(value))])];
  });
  io.verbatim(`\n${io.typed([...namesOf(command), ...flags, '--after', next].join(' '))}`);
}

/** Such as `review list`. */
function namesOf(command: Command): string[] {
  return command.parent === null ? [] : [...namesOf(command.parent), command.name()];
}

function typedValue(value: unknown): string {
  return value instanceof Date ? value.toISOString() : String(value);
}
