import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isDreamfoldError } from '@dreamfold/events';
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
