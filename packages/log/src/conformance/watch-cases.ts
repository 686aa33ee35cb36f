import type { LogEvent } from '@dreamfold/events';
import { describe, expect, it } from 'vitest';
import type { Log } from '../port.ts';
import { codeOf, fill, message, readAll, readAllStored, type LogUnderTest } from './log-under-test.ts';

const S = 'session/sesn_1';
const OTHER = 'session/sesn_2';

export function describeWatching(under: LogUnderTest): void {
  describe('watch', () => {
    it('tells each append from now on, as it is read', async () => {
      const log = await under.fresh();
      await fill(log, S, 2);
      const told = watched(log);
      await log.append({ stream: S, id: 'a', expected: 2, events: [message('1'), message('2')] });
      await log.append({ stream: OTHER, id: 'b', expected: 0, events: [message('3')] });
      await told.length(3);
      expect(told.of(S)).toEqual((await readAll(log, S)).slice(2));
      expect(told.of(OTHER)).toEqual(await readAll(log, OTHER));
      expect(told.failures).toEqual([]);
    });

    it('tells everybody who watches, until they have heard enough', async () => {
      const log = await under.fresh();
      const [first, second] = [watched(log), watched(log)];
      await fill(log, S, 1);
      await Promise.all([first.length(1), second.length(1)]);
      first.end();
      await log.append({ stream: S, id: 'later', expected: 1, events: [message('x')] });
      await second.length(2);
      expect(first.events).toHaveLength(1);
    });

    it('tells nothing of what was refused or had counted before', async () => {
      const log = await under.fresh();
      const request = { stream: S, id: 'a', expected: 0, events: [message('x')] };
      await log.append(request);
      const told = watched(log);
      expect((await log.append(request)).duplicate).toBe(true);
      expect(await codeOf(log.append({ ...request, id: 'b', expected: 7 }))).toBe('head_conflict');
      await log.append({ stream: S, id: 'c', expected: 1, events: [message('y')] });
      await told.length(1);
      expect(told.of(S).map(({ id }) => id)).toEqual(['c']);
    });

    it('tells many appends at once in the order of the log', async () => {
      const log = await under.fresh();
      const told = watched(log);
      await Promise.all(
        Array.from({ length: 300 }, (_, i) => log.append({ stream: S, id: `a${i}`, expected: 'any', events: [message('x')] })),
      );
      await told.length(300);
      expect(told.of(S)).toEqual(await readAll(log, S));
    });

    it('tells what was restored', async () => {
      const from = await under.fresh();
      await fill(from, S, 3);
      const stored = await readAllStored(from, S);
      const log = await under.fresh();
      const told = watched(log);
      await log.archive.restore(stored);
      await told.length(3);
      expect(told.of(S)).toEqual(await readAll(log, S));
    });

    it('tells what another handle appends between its own, each event once and in order', async (context) => {
      const log = await under.fresh();
      context.skip(!log.capabilities.shared, `${log.capabilities.name}: only one handle can write`);
      const other = await under.again();
      const told = watched(log);
      for (let i = 0; i < 20; i += 1) {
        const writer = i % 3 === 0 ? log : other;
        await writer.append({ stream: S, id: `a${i}`, expected: 'any', events: [message('x'), message('y')] });
      }
      await told.length(40);
      expect(told.of(S)).toEqual(await readAll(log, S));
      expect(told.failures).toEqual([]);
    });
  });
}

interface Told {
  readonly events: readonly LogEvent[];
  readonly failures: readonly unknown[];
  of(stream: string): LogEvent[];
  /** Resolves when so many events were told; the test's own time limit ends it otherwise. */
  length(count: number): Promise<void>;
  end(): void;
}

function watched(log: Log): Told {
  const events: LogEvent[] = [];
  const failures: unknown[] = [];
  let wake = (): void => {};
  const end = log.watch({
    onAppended: (notice) => {
      expect(notice.events.at(-1)).toMatchObject({ stream: notice.stream, seq: notice.seq });
      events.push(...notice.events);
      wake();
    },
    onFailed: (error) => failures.push(error),
  });
  const length = async (count: number): Promise<void> => {
    while (events.length < count) await new Promise<void>((resolve) => (wake = resolve));
  };
  return { events, failures, of: (stream) => events.filter((event) => event.stream === stream), length, end };
}
