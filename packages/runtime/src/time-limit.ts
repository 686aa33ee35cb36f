/**
 * What `work` comes to, unless it takes too long or is called off. The timer also keeps the process alive: node ends one that waits
 * for a promise and nothing else, without a word.
 * @param options.ms above 0; `onTimeout` gives the error to reject with
 */
export async function withTimeLimit<T>(
  work: () => T | PromiseLike<T>,
  { ms, signal, onTimeout }: { ms: number; signal: AbortSignal; onTimeout: () => Error },
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let abort = (): void => {};
  const ended = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    timer = setTimeout(() => reject(onTimeout()), ms);
  });
  try {
    return await Promise.race([work(), ended]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
    // Nobody may be waiting for it when `work` throws at once.
    ended.catch(() => {});
  }
}
