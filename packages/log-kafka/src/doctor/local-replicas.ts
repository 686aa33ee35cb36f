import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { REPLICA } from '../identity/replica-slot.ts';
import { FORMER } from '../salvage/former-replicas.ts';

/** What this machine has of a log. */
export interface LocalReplicas {
  /** Folders of the replicas, one for each process that was there at once. */
  replicas: readonly string[];
  /** Folders of those that were replaced, and the bytes of each. */
  former: readonly { directory: string; sizeBytes: number }[];
}

/** A replica stands in a folder of its process, which may stand in one of the log. */
const MAX_DEPTH = 3;

/** @param root where the replicas of a prefix are kept */
export function localReplicas(root: string): LocalReplicas {
  const replicas: string[] = [];
  const former: { directory: string; sizeBytes: number }[] = [];
  const look = (directory: string, depth: number): void => {
    for (const { name } of foldersIn(directory)) {
      const path = join(directory, name);
      if (name === REPLICA) replicas.push(path);
      else if (name.startsWith(FORMER)) former.push({ directory: path, sizeBytes: sizeOf(path) });
      else if (depth < MAX_DEPTH) look(path, depth + 1);
    }
  };
  if (existsSync(root)) look(root, 1);
  return { replicas: replicas.sort(), former };
}

function foldersIn(directory: string): { name: string }[] {
  return readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
}

/** Bytes of the files in a folder and those under it. */
export function sizeOf(directory: string): number {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  // Somebody may delete one meanwhile.
  return files.reduce((sum, file) => sum + (lstatSync(join(directory, file), { throwIfNoEntry: false })?.size ?? 0), 0);
}
