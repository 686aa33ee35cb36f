import type { Appended, AppendRequest, Log } from '@dreamfold/log';

/** Stands between a program and its log: does what it likes around an append, or in its place. */
export type AppendHook = (request: AppendRequest, append: () => Promise<Appended>) => Promise<Appended>;

/** A log whose appends pass through a hook; everything else goes straight to the log. */
export function hookedLog(log: Log, hook: AppendHook): Log {
  return new Proxy(log, {
    get(target, key) {
      if (key === 'append') return (request: AppendRequest) => hook(request, () => target.append(request));
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Tells a program when each of its appends is about to be made, as `before:N`, and when it has counted, as `after:N`. */
export function countedAppends(here: (at: string) => void): { hook: AppendHook; count: () => number } {
  let appends = 0;
  const hook: AppendHook = async (_, append) => {
    appends += 1;
    const mine = appends;
    here(`before:${mine}`);
    const appended = await append();
    here(`after:${mine}`);
    return appended;
  };
  return { hook, count: () => appends };
}
