import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { message } from '../conformance/log-under-test.ts';
import { openSqliteLog } from './open-sqlite-log.ts';

const root = mkdtempSync(join(tmpdir(), 'dreamfold-busy-'));
afterAll(() => rmSync(root, { recursive: true }));

test('a thousand sessions that append at once let timers fire all the while', async () => {
  const log = await openSqliteLog({ directory: join(root, 'data') });
  let done = 0;
  const doneAtTurn: number[] = [];
  const turn = (): void => {
    doneAtTurn.push(done);
    if (done < 4000) setImmediate(turn);
  };
  setImmediate(turn);
  await Promise.all(
    Array.from({ length: 1000 }, async (_, i) => {
      for (let n = 0; n < 4; n += 1) {
        await log.append({ stream: `session/s${i}`, id: `a${n}`, expected: 'any', events: [message(`${n} `.repeat(200))] });
        done += 1;
      }
    }),
  );
  await log.close();
  // Of the appends that were done, the most between two turns of the event loop.
  const most = Math.max(...doneAtTurn.map((count, i) => count - (doneAtTurn[i - 1] ?? 0)));
  expect(doneAtTurn.length).toBeGreaterThan(8);
  expect(most).toBeLessThan(1000);
});
