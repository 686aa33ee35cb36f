import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checked, DreamfoldError, FilePath, functionOf, isDreamfoldError, kindOf, optionsOf, withMethods } from '@dreamfold/events';
import { openMemoryLog, type Log } from '@dreamfold/log';
import type { LogNotice } from '@dreamfold/log-kafka';
import type { LogReadNotice } from '@dreamfold/log/sqlite';
import type { Model } from '@dreamfold/model';
import { Lists, type ListNotice, type ListsParts } from '@dreamfold/projections';
import { AnyModel, checkDreamRules, MACHINE, MemoryKeeper, SessionHost, type DreamNews, type DreamRule } from '@dreamfold/runtime';
import { z } from 'zod';
import { Dreamfold, type DreamfoldParts } from './dreamfold.ts';
import { modelsByName } from './models.ts';

/** Where the local replica of a log on Kafka is kept when nobody says where. */
const REPLICA_DIRECTORY = './.dreamfold';

export interface OpenOptions {
  /**
   * Where the log is kept. Left out: in memory, gone with the process. Of a log on Kafka it holds the local replica, in `kafka`, which
   * can be deleted while nothing runs; left out, that is `./.dreamfold`.
   */
  directory?: string;
  /** Only look, beside a process that runs sessions. */
  readOnly?: boolean;
  /** Begin no log where there is none: not_found. What is opened read-only never does. */
  mustExist?: boolean;
  /** `full` survives a power loss as well as a crash, at a disk flush per commit. Default `process`. */
  durability?: 'process' | 'full';
  /** Go on from what the database holds, although the end of it was lost: see `dreamfold verify --accept-head`. */
  acceptHead?: boolean;
  /** Models by the names that agents use for them. */
  models?: Readonly<Record<string, Model>>;
  /**
   * `kafka://host:port[,host:port]/prefix`: a log that processes on several machines share. User, password and certificate may stand in
   * the environment: DREAMFOLD_KAFKA_USERNAME, DREAMFOLD_KAFKA_PASSWORD, DREAMFOLD_KAFKA_CA. Or a log that is open already.
   */
  log?: string | Log;
  /** How much of a log on Kafka is in the local replica, while it catches up. */
  onProgress?: (done: number, total: number) => void;
  /**
   * What happens to a log on Kafka later: its brokers are away or back, …; how a log is read on a disk that is full; that lists cannot be
   * kept. Default: a warning of the process.
   */
  onNotice?: (notice: LogNotice | LogReadNotice | ListNotice) => void;
  /**
   * Stores that learn without being asked, from now until `close`: see `Dreamfold.keepDreaming`. A store may be made after this; it has
   * to be there when its first dream is due.
   */
  dreams?: DreamRule | readonly DreamRule[];
  /** What became of those dreams. Default: a warning of the process (`process.on('warning', …)`) for those that fail. */
  onDream?: (news: DreamNews) => void;
}

/**
 * Opens Dreamfold on a data directory, on Kafka, or in memory. The one place where its parts are put together.
 * Reading and commands need no lock; the first session that runs here takes the directory's processor lock until `close`. On Kafka
 * there is no such lock: who runs a session is decided on the log, session by session.
 * @throws DreamfoldError not_found, store_corrupt, store_read_only, store_newer_than_code, invalid_path, invalid_argument; with a URL
 * also config_invalid, store_unavailable (no broker answers, within 10 seconds), permission_denied, log_diverged
 */
export async function open(given: OpenOptions = {}): Promise<Dreamfold> {
  const options = checked(Options, given, {
    what: 'open()',
    remedy: 'Correct the value. Give nothing for a log in memory, or { directory }.',
  });
  const rules = dreamRules(options);
  const log = await openLog(options);
  const memory = new MemoryKeeper(log);
  const host = new SessionHost({
    log,
    models: modelsByName(options.models ?? {}),
    pinnedMemory: (pins) => memory.pinned(pins),
    ...MACHINE,
    uuid: randomUUID,
  });
  const lock = await lockOf(options);
  const lists = new Lists({
    log,
    processor: lock?.find ?? (() => 'unknown'),
    onNotice: options.onNotice ?? warnOfNotice,
    ...listStore(log),
  });
  const dreamfold = new Dreamfold({ log, memory, lists, host, lock });
  // Why it ended is in its news.
  if (rules !== null) dreamfold.keepDreaming({ rules, onDream: options.onDream ?? warnOf }).catch(() => {});
  return dreamfold;
}

const Options = optionsOf<OpenOptions>({
  directory: FilePath.optional(),
  readOnly: z.boolean().optional(),
  mustExist: z.boolean().optional(),
  durability: z.enum(['process', 'full']).optional(),
  acceptHead: z.boolean().optional(),
  models: z.record(z.string(), AnyModel).optional(),
  log: z
    .custom<string | Log>((log) => typeof log === 'string' || AnyLog.safeParse(log).success, {
      error: ({ input }) => `expected kafka://host:port/prefix, or a log that is open, received ${kindOf(input)}`,
    })
    .optional(),
  onProgress: functionOf<NonNullable<OpenOptions['onProgress']>>().optional(),
  onNotice: functionOf<NonNullable<OpenOptions['onNotice']>>().optional(),
  // Each rule is checked by `checkDreamRules`.
  dreams: z.custom<DreamRule | readonly DreamRule[]>().optional(),
  onDream: functionOf<NonNullable<OpenOptions['onDream']>>().optional(),
});
const AnyLog = withMethods<Log>('a log', 'append', 'head', 'read', 'streams', 'subscribe', 'cursor', 'close');

/** The lock of a data directory, null where sessions are shared out through the log, or nobody else can see them. */
async function lockOf({ directory, log }: OpenOptions): Promise<DreamfoldParts['lock']> {
  if (directory === undefined || typeof log === 'string') return null;
  const { acquireProcessorLock, findProcessor } = await import('@dreamfold/log/sqlite');
  return { acquire: () => acquireProcessorLock(directory), find: () => findProcessor(directory) };
}

async function openLog(options: OpenOptions): Promise<Log> {
  const { log, directory, readOnly = false, mustExist = false, durability, acceptHead = false, onNotice = warnOfNotice } = options;
  if (typeof log === 'string') return openKafka(log, options);
  if (log !== undefined) return log;
  if (directory === undefined) return openMemoryLog();
  if (mustExist && !holdsLog(directory)) {
    throw new DreamfoldError('not_found', `There is no log in ${directory}`, {
      path: 'directory',
      value: directory,
      remedy: 'Name a directory that holds a log, or leave out `mustExist`.',
    });
  }
  const { openSqliteLog } = await import('@dreamfold/log/sqlite');
  return openSqliteLog({ directory, readOnly, acceptHead, onNotice, ...(durability === undefined ? {} : { durability }) });
}

/** Beside the log, or beside the replica; of a log in memory lists are kept in memory. */
function listStore({ directory }: Log): Pick<ListsParts, 'openStore'> {
  if (directory === undefined) return {};
  return {
    openStore: async () => {
      // Loaded here: who lists nothing does not need it.
      const { openSqliteStore } = await import('@dreamfold/projections/sqlite');
      return openSqliteStore({ path: join(directory, 'views.db') });
    },
  };
}

/** Whole or damaged. */
function holdsLog(directory: string): boolean {
  return ['log.db', 'log.db-wal', 'head'].some((file) => existsSync(join(directory, file)));
}

async function openKafka(url: string, options: OpenOptions): Promise<Log> {
  for (const name of ['durability', 'acceptHead'] as const) {
    if (options[name] === undefined || options[name] === false) continue;
    throw new DreamfoldError('invalid_argument', `\`${name}\` is for a log in a directory: the brokers keep a log on Kafka`, {
      path: name,
      value: options[name],
      remedy: `Leave out \`${name}\`, or \`log\`.`,
    });
  }
  const { directory = REPLICA_DIRECTORY, readOnly = false, mustExist = false, onProgress, onNotice = warnOfNotice } = options;
  // Loaded here: without it `import 'dreamfold'` takes less time.
  const [{ openKafkaLog }, { sqliteReplicas }] = await Promise.all([import('@dreamfold/log-kafka'), import('@dreamfold/log/sqlite')]);
  return openKafkaLog({
    url,
    directory: join(directory, 'kafka'),
    storage: sqliteReplicas,
    env: process.env,
    readOnly,
    mustExist,
    onNotice,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
}

function warnOfNotice({ message }: LogNotice | LogReadNotice | ListNotice): void {
  process.emitWarning(message, { type: 'DreamfoldWarning' });
}

/** Checked before anything is opened, so that a slip makes no data directory. */
function dreamRules({ dreams, readOnly = false }: OpenOptions): readonly DreamRule[] | null {
  if (dreams === undefined) return null;
  if (readOnly) {
    throw new DreamfoldError('invalid_argument', 'What is opened read-only cannot dream: a dream writes to the log', {
      path: 'dreams',
      remedy: 'Leave out `dreams` or `readOnly`.',
    });
  }
  const rules = Array.isArray(dreams) ? (dreams as readonly DreamRule[]) : [dreams as DreamRule];
  checkDreamRules(rules);
  return rules;
}

function warnOf(news: DreamNews): void {
  if (news.type !== 'failed' && news.type !== 'stopped') return;
  const whose = news.type === 'failed' ? `A dream of the store ${news.store} failed` : 'Dreamfold dreams no more';
  const { error } = news;
  const warning = `${whose}: ${error instanceof Error ? error.message : String(error)}`;
  process.emitWarning(warning, { type: 'DreamfoldWarning', ...(isDreamfoldError(error) ? { code: error.code } : {}) });
}
