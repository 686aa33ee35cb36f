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
  const limit = new AbortController();
  const either = AbortSignal.any([signal, limit.signal]);
  const result = work(either);
  if (!isPromiseLike(result)) return result;
  let abort = (): void => {};
  const ended = new Promise<never>((_, reject) => {
    abort = () => reject(either.reason as Error);
    if (either.aborted) abort();
    else either.addEventListener('abort', abort, { once: true });
  });
  const timer = setTimeout(() => limit.abort(onTimeout()), ms);
  try {
    return await Promise.race([result, ended]);
  } finally {
    clearTimeout(timer);
    either.removeEventListener('abort', abort);
  }
}

function isPromiseLike<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
