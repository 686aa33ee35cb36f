import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { idFrom, isDreamfoldError } from '@dreamfold/events';
import type { ProcessorLock } from '@dreamfold/log';
import { asSystemError, type ReplicaStorage } from '@dreamfold/log/backend';

/** Processes of one machine that each keep a replica in the same directory. */
const MAX_SLOTS = 64;

/** What a slot holds beside its lock. */
export const REPLICA = 'replica';

/** A directory for one replica, which is this process's alone. */
export interface Slot {
  directory: string;
  lock: ProcessorLock;
}

export function replicaOf({ directory }: Pick<Slot, 'directory'>): string {
  return join(directory, REPLICA);
}

/**
 * A replica belongs to one process. The next one on this machine takes the next directory, and goes on where that one stands.
 * @param folder of the log
 */
export async function takeSlot(folder: string, storage: ReplicaStorage): Promise<Slot> {
  for (let slot = 1; ; slot += 1) {
    const directory = join(folder, String(slot));
    makeDirectory(directory);
    try {
      return { directory, lock: await storage.lock(directory) };
    } catch (error) {
      if (!isDreamfoldError(error, 'store_locked') || slot === MAX_SLOTS) throw error;
    }
  }
}

/** Holds what a slot's name is derived from. */
const NODE_FILE = 'node';
const UUID_CHARS = 36;

/**
 * Names a slot to the other nodes of the log. It stays while the directory does, so who holds the slot's lock knows that whoever had this
 * name before has ended. The machine's own name is part of it: a directory that was copied elsewhere is another node.
 * @param directory of the slot, whose lock is held
 * @returns `node_` and 16 characters
 */
export function nodeOf(directory: string): string {
  const path = join(directory, NODE_FILE);
  try {
    // A machine that failed may have kept a part of it.
    if (!existsSync(path) || readFileSync(path, 'utf8').length !== UUID_CHARS) writeFileSync(path, randomUUID());
    const drawn = readFileSync(path, 'utf8');
    return idFrom(
      'node',
      createHash('sha256')
        .update(JSON.stringify([hostname(), drawn]))
        .digest('base64url'),
    );
  } catch (cause) {
    throw asSystemError(cause, { path, what: `The name of this node can't be kept in ${path}`, code: 'invalid_path' });
  }
}

/** With its parents, one by one: `recursive` never returns where the file system makes no directories, as under /proc. */
export function makeDirectory(directory: string): void {
  if (existsSync(directory)) return;
  makeDirectory(dirname(directory));
  try {
    mkdirSync(directory);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw asSystemError(cause, { path: directory, what: `The replica of the log can't be kept in ${directory}`, code: 'invalid_path' });
  }
}
