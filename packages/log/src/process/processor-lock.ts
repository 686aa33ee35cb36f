import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, linkSync, openSync, readSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DreamfoldError } from '@dreamfold/events';
import { isRunning, statOf, thisProcess, type ProcessIdentity } from './process-identity.ts';
import { asSystemError } from '../system-error.ts';

/** The right to process the sessions of a data directory: one process at a time. Reading needs no lock. */
export interface ProcessorLock {
  readonly pid: number;
  release(): void;
}

interface Holder extends Pick<ProcessIdentity, 'pid' | 'started'> {
  /** Names this holding, so that a lock is only ever replaced by one who has seen it stale. */
  token: string;
}

/** Locks of this process. A lock with our pid that is not among them is left over from an earlier process with this pid. */
const held = new Set<string>();

/** Takers who find the same stale lock at the same time wait for each other this often. */
const ATTEMPTS = 200;
const PAUSE_MS = 5;

/** What a processor writes is far shorter. */
const MAX_LOCK_BYTES = 4096;

/** No system gives larger ones; 0 and below stand for groups of processes, and always answer. */
const MAX_PID = 0x7fff_ffff;

/**
 * Takes the lock of a data directory (`processor.lock`). The lock of a process that is gone is taken over.
 * @throws DreamfoldError store_locked, which names the pid of the holder; store_read_only, store_full, store_unavailable
 */
export async function acquireProcessorLock(directory: string): Promise<ProcessorLock> {
  const path = join(directory, 'processor.lock');
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const taken = tryAcquire(path);
    if ('token' in taken) return { pid: taken.pid, release: () => release(path, taken.token) };
    if (!taken.busy) throw lockedBy(path, taken.pid);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  throw lockedBy(path, readHolder(path)?.pid ?? 0);
}

/** A process that runs the sessions of a data directory. */
export interface RunningProcessor {
  pid: number;
  /** When it took the lock, in milliseconds since 1970: what was claimed before that, it does not run. */
  since: number;
}

/** Who holds the lock of a data directory; null when nobody does. It takes nothing, and is true at the moment that it looks. */
export function findProcessor(directory: string): RunningProcessor | null {
  const path = join(directory, 'processor.lock');
  try {
    const holder = readHolder(path);
    return holder !== null && isAlive(holder) ? { pid: holder.pid, since: Math.floor(statSync(path).mtimeMs) } : null;
  } catch {
    // Released while it was read; or no lock that a processor wrote, with which none can run.
    return null;
  }
}

/**
 * A lock file comes into being whole, by a link. A stale one may only be replaced by the one who holds the lock on
 * *its token*, and who has then seen that it still stands there: so two takers cannot remove each other's lock.
 * @returns the holder that we are now, or the one in the way: `busy` when it is only a taker at work
 */
function tryAcquire(path: string): Holder | { pid: number; busy: boolean } {
  const holder: Holder = { ...ownPid(), token: randomBytes(12).toString('hex') };
  const draft = `${path}.${holder.token}.new`;
  write(draft, holder);
  held.add(holder.token);
  let kept = false;
  try {
    kept = link(draft, path);
    if (kept) return holder;
    const found = readHolder(path);
    if (found === null) return { pid: 0, busy: true };
    if (isAlive(found)) return { pid: found.pid, busy: false };

    const guard = `${path}.${found.token}`;
    const guarded = tryAcquire(guard);
    if (!('token' in guarded)) return { pid: guarded.pid, busy: true };
    try {
      if (readHolder(path)?.token !== found.token) return { pid: 0, busy: true };
      renameSync(draft, path);
      kept = true;
      return holder;
    } finally {
      release(guard, guarded.token);
    }
  } finally {
    if (!kept) held.delete(holder.token);
    remove(draft);
  }
}

function ownPid(): Pick<ProcessIdentity, 'pid' | 'started'> {
  const { pid, started } = thisProcess();
  return { pid, started };
}

function write(path: string, holder: Holder): void {
  try {
    writeFileSync(path, JSON.stringify(holder), { flush: true });
  } catch (cause) {
    try {
      unlinkSync(path);
    } catch {
      // It is what was written that failed; that is told below.
    }
    throw asSystemError(cause, { path, what: `${path} cannot be written`, code: 'store_read_only' });
  }
}

function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** @returns null when the lock was released in the meantime */
function readHolder(path: string): Holder | null {
  let text: string;
  try {
    text = readStart(path);
  } catch (error) {
    if (error instanceof DreamfoldError) throw error;
    const { code = 'unreadable' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    throw notALock(path, code === 'ELOOP' ? 'a link' : code);
  }
  try {
    const { pid, started, token } = JSON.parse(text) as Holder;
    if (Number.isSafeInteger(pid) && pid > 0 && pid <= MAX_PID && /^[0-9a-f]{24}$/.test(token)) return { pid, started, token };
  } catch {
    // Falls through: whatever stands there, no processor wrote it.
  }
  throw notALock(path, text.slice(0, 80));
}

/** A lock is a small file of its own. To open a pipe for reading would wait for a writer, and a link may lead anywhere. */
function readStart(path: string): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    const kind = fstatSync(file);
    if (!kind.isFile()) throw notALock(path, kind.isDirectory() ? 'a directory' : kind.isFIFO() ? 'a pipe' : 'no file');
    const bytes = Buffer.alloc(MAX_LOCK_BYTES);
    return bytes.toString('utf8', 0, readSync(file, bytes));
  } finally {
    closeSync(file);
  }
}

function notALock(path: string, value: string): DreamfoldError {
  return new DreamfoldError('store_locked', `${path} is not a lock that a processor wrote`, {
    path,
    value,
    remedy: 'Delete it when you are sure that no processor is running on this directory.',
  });
}

function isAlive({ pid, started, token }: Holder): boolean {
  if (held.has(token)) return true;
  if (pid === process.pid && statOf(pid) === null) return false;
  return isRunning(pid, started);
}

function release(path: string, token: string): void {
  if (!held.delete(token)) return;
  if (readHolder(path)?.token === token) remove(path);
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function lockedBy(path: string, pid: number): DreamfoldError {
  return new DreamfoldError('store_locked', `Process ${pid} is processing this data directory`, {
    path,
    value: pid,
    remedy: `Stop process ${pid}, or use another data directory. Looking at the log needs no lock.`,
  });
}
