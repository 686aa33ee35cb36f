const PURE_ROOMS = ['packages/events/', 'packages/core/', 'packages/dreaming/'];
const IMPURE =
  /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bperformance\.|\bset(?:Timeout|Interval|Immediate)\b|\bprocess\.|\bcrypto\b|'node:|\bfetch\(|\bconsole\.|\bglobalThis\b|\.toLocale\w+\(|\.localeCompare\(|\bIntl\./;

/** Rooms where time comes in through the port, and the one file of each that asks the machine. */
const TIMED_ROOMS: Readonly<Record<string, string>> = { 'packages/runtime/': 'packages/runtime/src/time/system-time.ts' };
const CLOCK =
  /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bset(?:Timeout|Interval|Immediate)\b|\bAbortSignal\.timeout\b|'node:timers/;

/** What of a source file reads from outside what has to come in, each with its remedy. @param path from the repository's root */
export function impureCalls(path: string, text: string): string[] {
  const room = /^packages\/[^/]+\//.exec(path)?.[0] ?? '';
  if (PURE_ROOMS.includes(room)) return callsIn({ path, text }, IMPURE, 'in a pure room. Let it come in on the event or as an argument.');
  if (TIMED_ROOMS[room] === undefined || path === TIMED_ROOMS[room]) return [];
  return callsIn({ path, text }, CLOCK, 'cannot be simulated. Take the Time of @dreamfold/log as an argument.');
}

function callsIn({ path, text }: { path: string; text: string }, pattern: RegExp, remedy: string): string[] {
  return text.split('\n').flatMap((line, index) => {
    const call = /^\s*(?:\/\/|\/?\*)/.test(line) ? null : pattern.exec(line);
    return call === null ? [] : [`${path}:${index + 1}: ${call[0]} ${remedy}`];
  });
}
