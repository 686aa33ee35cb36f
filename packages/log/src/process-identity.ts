import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Names a process to others, for as long as they may ask about it. */
export interface ProcessIdentity {
  /**
   * Host name, and where the system tells them the boot and the space of process ids: machines may have one name, and containers on one
   * machine count their processes separately.
   */
  machine: string;
  pid: number;
  /** When the process started, as the system counts it: a pid is given to another process after a while. Null where that is not known. */
  started: string | null;
}

let own: ProcessIdentity | undefined;

/** What names this process to others: the same for as long as it lives, and never that of one which gets its number later. */
export function thisProcess(): ProcessIdentity {
  own ??= {
    machine: [
      hostname(),
      read(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1')),
      read(() => readlinkSync('/proc/self/ns/pid')),
    ]
      .filter((part) => part !== null)
      .join('/')
      .slice(0, 200),
    pid: process.pid,
    started: statOf(process.pid)?.started ?? null,
  };
  return own;
}

/** Whether a process is known to be gone. Of one on another machine nobody knows. */
export function hasEnded({ machine, pid, started }: ProcessIdentity): boolean {
  return machine === thisProcess().machine && !isRunning(pid, started);
}

/** Whether there is such a process on this machine. */
export function isRunning(pid: number, started: string | null): boolean {
  const stat = statOf(pid);
  // Killed, and only kept for a parent that has not asked how it ended: it answers signals and does nothing else.
  if (stat?.state === 'Z') return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: there is such a process, of another user.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return started === null || stat === null || stat.started === started;
}

/** Fields 3 and 22 of /proc/PID/stat (proc(5)): the state, and the ticks from boot to the start. Null where there is no such file. */
export function statOf(pid: number): { state: string; started: string | null } | null {
  const stat = read(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  if (stat === null) return null;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0]!, started: fields[19] ?? null };
}

function read(from: () => string): string | null {
  try {
    return from().trim();
  } catch {
    return null;
  }
}
