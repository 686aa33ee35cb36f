/** Between two looks at the group. */
const LOOK_MS = 1_000;

export interface Probation {
  /** How many members the group has. */
  members: () => Promise<number>;
  /** A member that dies leaves its share to nobody for so long: who does not live for longer costs more than it does. */
  sessionTimeoutMs: number;
  /** Rejects when the newcomer is to wait no longer for other reasons. */
  pause: (ms: number) => Promise<void>;
}

/**
 * Lets a newcomer wait until it has lived for a session time-out, or nobody else is there. Else a worker that dies again and again is
 * given a share each time, and the group never gets past the time-outs of its former lives.
 * @throws what `pause` does
 */
export async function passProbation({ members, sessionTimeoutMs, pause }: Probation): Promise<void> {
  // Members that can't be asked for may be there.
  const isAlone = async (): Promise<boolean> => (await members().catch(() => 1)) === 0;
  const lookMs = Math.min(LOOK_MS, sessionTimeoutMs / 4);
  // Pauses are counted, not time: a process that was suspended has not lived.
  for (let livedMs = 0; livedMs < sessionTimeoutMs; livedMs += lookMs) {
    if (await isAlone()) return;
    await pause(lookMs);
  }
}
