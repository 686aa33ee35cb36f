/** The right to process the sessions of a data directory: one process at a time. Reading needs no lock. */
export interface ProcessorLock {
  /** Of this process. */
  readonly pid: number;
  /** Gives it up; a second time does nothing. */
  release(): void;
}

/** A process that runs the sessions of a data directory. */
export interface RunningProcessor {
  /** null when it has not said it yet. */
  pid: number | null;
  /** When it took the lock, in milliseconds since 1970: what was claimed before that, it does not run. 0 when it has not said it yet. */
  since: number;
}
