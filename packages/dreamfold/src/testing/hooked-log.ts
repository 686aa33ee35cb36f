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
