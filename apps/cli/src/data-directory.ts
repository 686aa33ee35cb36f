import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { DreamfoldError, isDreamfoldError, open, type Dreamfold } from 'dreamfold';

export const DEFAULT_DIRECTORY = './.dreamfold';

/** Where `--data` points. */
export function dataDirectory(command: Command): string {
  return command.optsWithGlobals<{ data: string }>().data;
}

/** False when there is no log yet, whole or damaged. */
export function hasData(command: Command): boolean {
  return ['log.db', 'head'].some((file) => existsSync(join(dataDirectory(command), file)));
}

export interface DataAccess {
  /** Looks beside a process that runs sessions, and never creates anything. */
  readOnly: boolean;
  /** Writes only to what is there. */
  mustExist?: boolean;
}

/**
 * Opens the data directory, hands it to `use`, and closes it again.
 * @throws DreamfoldError not_found when there is nothing to work on yet, and those of `open`
 */
export async function withData<T>(command: Command, access: DataAccess, use: (dreamfold: Dreamfold) => Promise<T>): Promise<T> {
  const directory = dataDirectory(command);
  const { readOnly, mustExist = readOnly } = access;
  if (mustExist && !hasData(command)) throw nothingYet(directory);
  const dreamfold = await open({ directory, readOnly }).catch((error: unknown) => {
    throw mustExist && isDreamfoldError(error, 'not_found') ? nothingYet(directory) : error;
  });
  try {
    return await use(dreamfold);
  } catch (error) {
    throw isDreamfoldError(error) ? error : ((await damageOf(dreamfold, error)) ?? error);
  } finally {
    await dreamfold.close();
  }
}

/** What this code stumbles over may be a log that somebody has changed on the disk: reading does not check every hash. */
async function damageOf({ log }: Dreamfold, cause: unknown): Promise<DreamfoldError | null> {
  const [first] = (await log.verify().catch(() => null))?.problems ?? [];
  if (first === undefined) return null;
  const { stream, seq, problem } = first;
  const place = `${stream ?? 'log'}${seq === null ? '' : `#${seq}`}`;
  return new DreamfoldError('store_corrupt', `The log holds what was never written to it: ${place}: ${problem}`, {
    path: place,
    remedy: 'Run `dreamfold verify`: it lists all that is wrong.',
    cause,
  });
}

function nothingYet(directory: string): DreamfoldError {
  return new DreamfoldError('not_found', `There is no data in ${directory}`, {
    path: '--data',
    value: directory,
    remedy:
      'Name a data directory with --data DIR, or make one: `dreamfold demo`, `dreamfold run team.ts "task"` or `dreamfold import FILE --format NAME`.',
  });
}
