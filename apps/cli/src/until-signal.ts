import type { Io } from './io.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Runs what stays until somebody ends it with SIGINT or SIGTERM. @param ending what is said then */
export async function untilSignal<T>(io: Io, ending: string, stay: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const ended = new AbortController();
  const onSignal = (): void => {
    // The next one has its usual effect, whatever is under way.
    ignoreSignals();
    io.news(ending);
    ended.abort();
  };
  const ignoreSignals = (): void => void SIGNALS.map((name) => process.off(name, onSignal));
  for (const name of SIGNALS) process.on(name, onSignal);
  try {
    return await stay(ended.signal);
  } finally {
    ignoreSignals();
  }
}
