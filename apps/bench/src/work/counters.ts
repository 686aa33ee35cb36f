// Loaded before everything else (`node --import`): counts what a program asks of SQLite, of the hash, of JSON and of the clock.
// The counts of a program that always does the same are the same on any machine, whatever else it does.
import crypto from 'node:crypto';
import { registerHooks, syncBuiltinESMExports } from 'node:module';
import { DatabaseSync, StatementSync } from 'node:sqlite';

/** How often each thing was done since the counters were reset. A name with `Bytes` counts characters. */
export type WorkCounts = Record<string, number>;

const counts: WorkCounts = {};

function add(name: string, n = 1): void {
  counts[name] = (counts[name] ?? 0) + n;
}

/** The counts since the last call, which begins to count anew. */
export function takeCounts(): WorkCounts {
  const taken = { ...counts };
  for (const name of Object.keys(counts)) delete counts[name];
  return taken;
}

/** Stands in a method's place and counts its calls. */
function count<K extends string>(
  owner: { [name in K]: (...args: never[]) => unknown },
  method: K,
  counted: (args: unknown[], result: unknown, self: object) => void,
): void {
  const original = owner[method] as (this: unknown, ...args: unknown[]) => unknown;
  const counting = function (this: object, ...args: unknown[]): unknown {
    const result = original.apply(this, args);
    counted(args, result, this);
    return result;
  };
  // Timers carry a promisified form of themselves.
  Object.assign(counting, original);
  for (const symbol of Object.getOwnPropertySymbols(original)) {
    Object.defineProperty(counting, symbol, Object.getOwnPropertyDescriptor(original, symbol)!);
  }
  (owner as Record<string, unknown>)[method] = counting;
}

function countStatement(sql: string): void {
  add('statements');
  const [verb] = /^[A-Z]+/.exec(sql.trimStart()) ?? [''];
  if (verb === 'COMMIT') add('commits');
  if (/^INSERT INTO events\b/.test(sql)) add('inserts');
}

const sqlOf = new WeakMap<object, string>();
count(DatabaseSync.prototype, 'prepare', ([sql], statement) => void sqlOf.set(statement as object, sql as string));
count(DatabaseSync.prototype, 'exec', ([sql]) => countStatement(sql as string));
for (const method of ['run', 'get', 'all', 'iterate'] as const) {
  count(StatementSync.prototype, method, (_args, _result, statement) => countStatement(sqlOf.get(statement) ?? ''));
}
count(crypto, 'hash', ([, data]) => {
  add('hashes');
  add('hashBytes', (data as string | Uint8Array).length);
});
count(JSON, 'parse', () => add('parses'));
count(JSON, 'stringify', (_args, text) => {
  add('stringifies');
  add('stringifyBytes', (text as string | undefined)?.length ?? 0);
});
for (const timer of ['setTimeout', 'setInterval'] as const) count(globalThis as never, timer, () => add('timers'));
globalThis.AbortController = class extends AbortController {
  constructor() {
    super();
    add('abortControllers');
  }
};
syncBuiltinESMExports();

registerHooks({
  load: (url, context, next) => {
    if (url.startsWith('file:')) add('modules');
    return next(url, context);
  },
});
