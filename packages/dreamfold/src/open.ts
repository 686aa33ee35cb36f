import { randomUUID } from 'node:crypto';
import { DreamfoldError, isDreamfoldError } from '@dreamfold/events';
import { acquireProcessorLock, openMemoryLog, type Log } from '@dreamfold/log';
import { openSqliteLog } from '@dreamfold/log/sqlite';
import type { Model } from '@dreamfold/model';
import { checkDreamRules, MemoryKeeper, SessionHost, type DreamNews, type DreamRule } from '@dreamfold/runtime';
import { Dreamfold } from './dreamfold.ts';
import { modelsByName } from './models.ts';

export interface OpenOptions {
  /** Where the log is kept. Left out: in memory, gone with the process. */
  directory?: string;
  /** Only look, beside a process that runs sessions. */
  readOnly?: boolean;
  /** `full` survives a power loss as well as a crash, at a disk flush per commit. Default `process`. */
  durability?: 'process' | 'full';
  /** Go on from what the database holds, although the end of it was lost: see `dreamfold verify --accept-head`. */
  acceptHead?: boolean;
  /** Models by the names that agents use for them. */
  models?: Readonly<Record<string, Model>>;
  /** A log that is open already, instead of a directory. */
  log?: Log;
  /**
   * Stores that learn without being asked, from now until `close`: see `Dreamfold.keepDreaming`. A store may be made after this; it has
   * to be there when its first dream is due.
   */
  dreams?: DreamRule | readonly DreamRule[];
  /** What became of those dreams. Default: a warning of the process (`process.on('warning', …)`) for those that fail. */
  onDream?: (news: DreamNews) => void;
}

/**
 * Opens Dreamfold on a data directory, or in memory. The one place where its parts are put together.
 * Reading and commands need no lock; the first session that runs here takes the directory's processor lock until `close`.
 * @throws DreamfoldError store_corrupt, store_read_only, store_newer_than_code, invalid_path, invalid_argument
 */
export async function open(options: OpenOptions = {}): Promise<Dreamfold> {
  if (typeof options !== 'object' || options === null) {
    throw new DreamfoldError('invalid_argument', `open() was given ${String(options)}`, {
      path: 'options',
      value: options,
      remedy: 'Give nothing for a log in memory, or { directory }.',
    });
  }
  const { directory, readOnly = false, durability, acceptHead = false } = options;
  const rules = dreamRules(options);
  const log =
    options.log ??
    (directory === undefined
      ? openMemoryLog()
      : await openSqliteLog({ directory, readOnly, acceptHead, ...(durability === undefined ? {} : { durability }) }));
  const memory = new MemoryKeeper(log);
  const host = new SessionHost({
    log,
    models: modelsByName(options.models ?? {}),
    pinnedMemory: (pins) => memory.pinned(pins),
    now: Date.now,
    random: Math.random,
    uuid: randomUUID,
  });
  const dreamfold = new Dreamfold({ log, memory, host, lock: directory === undefined ? null : () => acquireProcessorLock(directory) });
  // Why it ended is in its news.
  if (rules !== null) dreamfold.keepDreaming({ rules, onDream: options.onDream ?? warnOf }).catch(() => {});
  return dreamfold;
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
