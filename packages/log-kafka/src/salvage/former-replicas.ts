import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { LogNotice } from '../kafka-node.ts';

/** Begins the name of a replica in whose place another one was built. */
export const FORMER = 'former-';

/** Of a log, on one machine. */
const MAX_FORMER = 2;

/** A name for a replica that is set aside, which sorts by the time at which it was. */
export function formerName(now: number): string {
  return `${FORMER}${new Date(now).toISOString().replaceAll(/[:.]/g, '-')}-${randomUUID().slice(0, 4)}`;
}

/**
 * Replicas that were set aside when another was built in their place, oldest first.
 * @param folder of the log: holds its slots
 */
export function formerReplicas(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const slots = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory() && /^\d+$/.test(entry.name));
  const found = slots.flatMap(({ name: slot }) =>
    readdirSync(join(folder, slot))
      .filter((name) => name.startsWith(FORMER))
      .map((name) => join(folder, slot, name)),
  );
  return found.sort((a, b) => (basename(a) < basename(b) ? -1 : 1));
}

/** Deletes all but the newest: each takes as much of the disk as a replica. */
export function pruneFormer(folder: string, onNotice: (notice: LogNotice) => void): void {
  for (const former of formerReplicas(folder).slice(0, -MAX_FORMER)) {
    rmSync(former, { recursive: true, force: true });
    onNotice({ kind: 'rebuilding', message: `The former replica in ${former} was deleted: the ${MAX_FORMER} newest are kept.` });
  }
}
