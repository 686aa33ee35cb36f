/**
 * What `work` comes to, unless it takes too long or is called off; what is called off already is not begun. The timer also keeps the
 * process alive: node ends one that waits for a promise and nothing else, without a word.
 * @param options.controller of the work: aborts it at the end of the time, and ends the wait when somebody else does
 * @param options.ms above 0; `onTimeout` gives the error to reject with
 */
export async function withTimeLimit<T>(
  work: () => T | PromiseLike<T>,
  { ms, controller, onTimeout }: { ms: number; controller: AbortController; onTimeout: () => Error },
): Promise<T> {
  const { signal } = controller;
  signal.throwIfAborted();
  const result = work();
  if (!isPromiseLike(result)) return result;
  let abort = (): void => {};
  const ended = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
  const timer = setTimeout(() => controller.abort(onTimeout()), ms);
  try {
    return await Promise.race([result, ended]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}

/** Lends a controller that aborts when `signal` does, and may abort before: a part of the work that ends before the whole. */
export async function withPart<T>(signal: AbortSignal, use: (part: AbortController) => Promise<T>): Promise<T> {
  const part = new AbortController();
  const abort = (): void => part.abort(signal.reason);
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  try {
    return await use(part);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function isPromiseLike<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
