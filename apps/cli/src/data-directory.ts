import type { Command } from 'commander';
import { DreamfoldError, isDreamfoldError, open, type Dreamfold, type OpenOptions } from 'dreamfold';
import { redacted } from '@dreamfold/log-kafka/kafka-url';
import { onceBrokersAnswer } from './broker-away.ts';
import { DEFAULT_DIRECTORY } from './default-directory.ts';
import type { Io } from './io.ts';

/** Where `--data` points. */
export function dataDirectory(command: Command): string {
  return command.optsWithGlobals<{ data: string }>().data;
}

/** What `--log` or DREAMFOLD_LOG says; null for a log in the data directory. May hold a password. */
export function logUrl(command: Command): string | null {
  const { log } = command.optsWithGlobals<{ log?: string }>();
  const isUnset = log === '' && command.getOptionValueSourceWithGlobals('log') === 'env';
  return log === undefined || isUnset ? null : log;
}

/** What `--replica` says; null for a log that is reached. */
export function replicaDirectory(command: Command): string | null {
  return command.optsWithGlobals<{ replica?: string }>().replica ?? null;
}

/** A longer name of a directory is no part of a line that anybody copies. */
const MAX_SHOWN_CHARS = 500;

/** What a command to copy needs to reach the same data: nothing where the defaults and the environment lead there. */
export function dataFlags(command: Command): string {
  const replica = replicaDirectory(command);
  if (replica !== null) return ` --replica ${shownPath(replica)}`;
  const directory = dataDirectory(command);
  const url = command.getOptionValueSourceWithGlobals('log') === 'cli' ? logUrl(command) : null;
  const log = url === null ? '' : ` --log ${JSON.stringify(redacted(url))}`;
  if (directory === DEFAULT_DIRECTORY) return log;
  return `${log} --data ${shownPath(directory)}`;
}

function shownPath(path: string): string {
  return path.length > MAX_SHOWN_CHARS ? 'DIR' : JSON.stringify(path);
}

export interface DataAccess {
  /** Told how far the replica of a log on Kafka is, and what happens to it later. */
  io: Io;
  /** Looks beside a process that runs sessions, and never creates anything. */
  readOnly: boolean;
  /** Of a command that stays, what ends it. What happens to the log is told with its time. */
  until?: AbortSignal;
  /** Of a command that stays: while no broker answers it waits, instead of ending. */
  waits?: boolean;
  /** Writes only to what is there. */
  mustExist?: boolean;
  /** What was open a moment ago: --accept-new-log was for the first time. */
  isAgain?: boolean;
  /** Done first where there is no log yet; when it throws, none is begun. */
  beforeFirst?: () => Promise<void>;
}

/**
 * Opens the data directory, or the log on Kafka, hands it to `use`, and closes it again.
 * @throws DreamfoldError not_found when there is nothing to work on yet, and those of `open`
 */
export async function withData<T>(command: Command, access: DataAccess, use: (dreamfold: Dreamfold) => Promise<T>): Promise<T> {
  const { io, until, waits = false } = access;
  const opening = (): Promise<Dreamfold> => openData(command, access);
  const dreamfold = await (waits && until !== undefined ? onceBrokersAnswer(opening, { io, until }) : opening());
  try {
    return await use(dreamfold);
  } catch (error) {
    throw isDreamfoldError(error) ? error : ((await damageOf(dreamfold, error)) ?? error);
  } finally {
    await dreamfold.close();
  }
}

/**
 * `withData` for a command that stays until `until` is aborted. When that comes while the log is still being opened, nothing is done with
 * it: opening can't be called off, and catches up with the whole of a log on Kafka.
 */
export async function stayWithData(
  command: Command,
  access: DataAccess & { until: AbortSignal },
  use: (dreamfold: Dreamfold) => Promise<void>,
): Promise<void> {
  const { until } = access;
  if (until.aborted) return;
  let isOpen = false;
  const used = withData(command, access, (dreamfold) => {
    isOpen = true;
    return use(dreamfold);
  });
  const left = new Promise<void>((resolve) => {
    const leave = (): void => {
      if (!isOpen) resolve();
    };
    until.addEventListener('abort', leave, { once: true });
  });
  await Promise.race([used, left]);
}

async function openData(command: Command, access: DataAccess): Promise<Dreamfold> {
  const { readOnly, mustExist = readOnly, beforeFirst } = access;
  const isMissing = (error: unknown): boolean => isDreamfoldError(error, 'not_found');
  if (beforeFirst !== undefined) {
    try {
      return await openPlace(command, { readOnly, mustExist: true }, access);
    } catch (error) {
      if (!isMissing(error)) throw error;
      await beforeFirst();
    }
  }
  try {
    return await openPlace(command, { readOnly, mustExist }, access);
  } catch (error) {
    throw mustExist && isMissing(error) && replicaDirectory(command) === null ? nothingYet(command) : error;
  }
}

async function openPlace(
  command: Command,
  how: Pick<OpenOptions, 'readOnly' | 'mustExist'>,
  { io, until, isAgain = false }: DataAccess,
): Promise<Dreamfold> {
  const { acceptNewLog = false } = command.optsWithGlobals<{ acceptNewLog?: boolean }>();
  const replica = replicaDirectory(command);
  if (replica !== null) return await open({ replica });
  const url = logUrl(command);
  const bar = io.progress('catching up', { isNews: until !== undefined });
  try {
    return await open({
      directory: dataDirectory(command),
      ...(url === null ? {} : { log: url }),
      ...how,
      ...(acceptNewLog && !isAgain ? { acceptNewLog } : {}),
      onProgress: (done, total) => {
        if (done < total) bar.update(done, total);
      },
      onNotice: ({ message }) => (until === undefined ? io.note(message) : io.news(message)),
    });
  } finally {
    bar.stop();
  }
}

/** What this code stumbles over may be a log that somebody has changed on the disk: reading does not check every hash. */
async function damageOf({ log }: Dreamfold, cause: unknown): Promise<DreamfoldError | null> {
  const [first] = (await log.archive.verify().catch(() => null))?.problems ?? [];
  if (first === undefined) return null;
  const { stream, seq, problem } = first;
  const place = `${stream ?? 'log'}${seq === null ? '' : `#${seq}`}`;
  return new DreamfoldError('store_corrupt', `The log holds what was never written to it: ${place}: ${problem}`, {
    path: place,
    remedy: 'Run `dreamfold verify`: it lists all that is wrong.',
    cause,
  });
}

function nothingYet(command: Command): DreamfoldError {
  const directory = dataDirectory(command);
  const url = logUrl(command);
  const makers = '`dreamfold run team.ts "task"` or `dreamfold import FILE --format NAME`.';
  if (url !== null) {
    return new DreamfoldError('not_found', `There is no log at ${redacted(url)}`, {
      path: '--log',
      value: redacted(url),
      remedy: `Correct --log or DREAMFOLD_LOG, or begin one: ${makers}`,
    });
  }
  return new DreamfoldError('not_found', `There is no data in ${directory}`, {
    path: '--data',
    value: directory,
    remedy: `Name a data directory with --data DIR, or make one: \`dreamfold demo\`, ${makers}`,
  });
}
