import type { Command } from 'commander';
import { DreamfoldError, isDreamfoldError, open, type Dreamfold } from 'dreamfold';

export const DEFAULT_DIRECTORY = './.dreamfold';

/** Where `--data` points. */
export function dataDirectory(command: Command): string {
  return command.optsWithGlobals<{ data: string }>().data;
}

/**
 * Opens the data directory, hands it to `use`, and closes it again.
 * `readOnly` looks beside a process that runs sessions, and never creates anything.
 * @throws DreamfoldError not_found when there is nothing to read yet, and those of `open`
 */
export async function withData<T>(
  command: Command,
  { readOnly }: { readOnly: boolean },
  use: (dreamfold: Dreamfold) => Promise<T>,
): Promise<T> {
  const directory = dataDirectory(command);
  const dreamfold = await open({ directory, readOnly }).catch((error: unknown) => {
    throw readOnly && isDreamfoldError(error, 'not_found') ? nothingYet(directory) : error;
  });
  try {
    return await use(dreamfold);
  } finally {
    await dreamfold.close();
  }
}

function nothingYet(directory: string): DreamfoldError {
  return new DreamfoldError('not_found', `There is no data in ${directory}`, {
    path: '--data',
    value: directory,
    remedy:
      'Name a data directory with --data DIR, or make one: `dreamfold demo`, `dreamfold run team.ts "task"` or `dreamfold import FILE`.',
  });
}
