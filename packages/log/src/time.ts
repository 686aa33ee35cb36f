/**
 * How time passes, for whoever reads a clock or waits. What waits takes it as an argument; one implementation asks the machine
 * (`systemTime` of runtime), and another runs a simulated world.
 */
export interface Time {
  /** Milliseconds since 1970. Somebody may set the clock, also back. */
  now: () => number;
  /**
   * Resolves after so many milliseconds; after 0, once all that is ready to run has had its turn.
   * @throws the signal's reason, also when it was aborted before
   */
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /**
   * Calls back once, after so many milliseconds: a wait that is nearly always taken back, such as a limit, costs no promise and no signal.
   * @param options.background it does not keep the process alive
   * @returns what takes it back
   */
  after: (ms: number, then: () => void, options?: { background?: boolean }) => () => void;
}

/** `after` of the machine. */
export function machineAfter(ms: number, then: () => void, { background = false }: { background?: boolean } = {}): () => void {
  if (ms <= 0) {
    const turn = setImmediate(then);
    return () => clearImmediate(turn);
  }
  const timer = setTimeout(then, ms);
  if (background) timer.unref();
  return () => clearTimeout(timer);
}

/** `sleep` of a time that has `after`. */
export function sleepBy(after: Time['after'], ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason as Error);
    const onAbort = (): void => {
      takeBack();
      reject(signal!.reason as Error);
    };
    const takeBack = after(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
