import { DreamfoldError } from 'dreamfold';
import { beforeEach, expect, test } from 'vitest';
import { onceBrokersAnswer } from './broker-away.ts';
import type { Io } from './io.ts';

let said: string[];
let stop: AbortController;
beforeEach(() => {
  said = [];
  stop = new AbortController();
});

function failure(code: 'store_unavailable' | 'permission_denied', message: string, socketCode?: string): DreamfoldError {
  return new DreamfoldError(code, message, { remedy: 'none', cause: Object.assign(new Error(message), { code: socketCode }) });
}
const refused = failure('store_unavailable', 'connecting failed: ECONNREFUSED.', 'ECONNREFUSED');

/** What opening meets, one after the other; then it works. */
function opened(...failures: Error[]): Promise<string> {
  const io = { news: (text: string) => said.push(text) } as unknown as Io;
  return onceBrokersAnswer(
    () => {
      const next = failures.shift();
      return next === undefined ? Promise.resolve('open') : Promise.reject(next);
    },
    { io, until: stop.signal, pause: async () => stop.signal.throwIfAborted() },
  );
}

test('a worker that is started before its broker waits, with one line, and goes on', async () => {
  expect(await opened(...Array.from({ length: 50 }, () => refused))).toBe('open');
  expect(said).toEqual(['connecting failed: ECONNREFUSED. It is tried again until a broker answers.']);
});

test('a broker that has just started, and does not lead anything yet, is waited for a moment longer', async () => {
  const starting = failure('store_unavailable', 'Failed to find group coordinator.');
  expect(await opened(refused, starting, starting)).toBe('open');
  expect(said).toHaveLength(2);
  await expect(opened(refused, ...Array.from({ length: 50 }, () => starting))).rejects.toBe(starting);
});

test.each([
  ['a password', failure('permission_denied', 'the user name or the password was refused.')],
  ['a listener that wants TLS', failure('store_unavailable', 'the connection was closed.')],
  ['a fault of the program', new TypeError('x is not a function')],
])('%s ends it at once', async (_, error) => {
  await expect(opened(error)).rejects.toBe(error);
  expect(said).toEqual([]);
});

test('waiting ends with Ctrl-C', async () => {
  stop.abort();
  await expect(opened(refused)).rejects.toBe(refused);
});
