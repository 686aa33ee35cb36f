/**
 * What `work` comes to, unless it takes too long or is called off; what is called off already is not begun. The timer also keeps the
 * process alive: node ends one that waits for a promise and nothing else, without a word.
 * @param work is given a signal that aborts at the end of the time, and when `signal` does
 * @param options.ms above 0; `onTimeout` gives the error to reject with
 */
export async function withTimeLimit<T>(
  work: (signal: AbortSignal) => T | PromiseLike<T>,
  { ms, signal, onTimeout }: { ms: number; signal: AbortSignal; onTimeout: () => Error },
): Promise<T> {
  signal.throwIfAborted();
  // `AbortSignal.any` takes longer than many a tool does.
  const limited = new AbortController();
  const callOff = (): void => limited.abort(signal.reason);
  signal.addEventListener('abort', callOff, { once: true });
  try {
    const result = work(limited.signal);
    return isPromiseLike(result) ? await untilAborted(result, { ms, limited, onTimeout }) : result;
  } finally {
    signal.removeEventListener('abort', callOff);
  }
}

async function untilAborted<T>(
  result: PromiseLike<T>,
  { ms, limited, onTimeout }: { ms: number; limited: AbortController; onTimeout: () => Error },
): Promise<T> {
  const { signal } = limited;
  const ended = new Promise<never>((_, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
  const timer = setTimeout(() => limited.abort(onTimeout()), ms);
  try {
    return await Promise.race([result, ended]);
  } finally {
    clearTimeout(timer);
  }
}

function isPromiseLike<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
