import { openMemoryLog } from '@dreamfold/log';
import { expect, it } from 'vitest';
import { Dreamer, type DreamReport } from './dreamer.ts';
import { MemoryKeeper } from '../memory/memory-keeper.ts';
import { routeTicket, type Ticket } from '../testing/routed-sessions.ts';

const SESSIONS = 1000;
const queues = Array.from({ length: 12 }, (_, i) => `queue${i}`);

/** Requests of eight words, most of them of a vocabulary that grows, as in life. */
function ticket(i: number): Ticket {
  const draw = (salt: number, below: number): number => (Math.imul(i * 8 + salt + 1, 0x9e3779b1) >>> 0) % below;
  const letters = (n: number): string => String(n).replaceAll(/\d/g, (digit) => 'abcdefghij'[Number(digit)]!);
  const queue = (Math.imul(i + 1, 0x85ebca6b) >>> 8) % queues.length;
  const words = Array.from({ length: 6 }, (_, k) => `w${letters((draw(k, 1e9) >>> 5) % (50 + i))}`);
  return [`p${letters(i % 97)}`, queues[queue]!, [`about${letters(queue)}`, 'please', ...words].join(' ')];
}

const costOf = (reports: readonly DreamReport[]): number =>
  reports.reduce((sum, { work }) => sum + work.events + work.words + work.fitted, 0);

it(`a dream after each of ${SESSIONS} sessions costs at most three times one dream over all`, async () => {
  const log = openMemoryLog();
  const memory = new MemoryKeeper(log);
  for (const name of ['often', 'once']) await memory.create({ name, description: '', approval: 'manual' }, 'person:ann');
  const dreamer = new Dreamer(log, memory);
  const often: DreamReport[] = [];
  for (let i = 0; i < SESSIONS; i += 1) {
    await routeTicket(log, ticket(i), { queues });
    often.push(await dreamer.dream({ store: 'often' }));
  }
  // On a log of its own: what the many dreams wrote is no part of what one dream would read.
  const other = openMemoryLog();
  const quiet = new MemoryKeeper(other);
  await quiet.create({ name: 'once', description: '', approval: 'manual' }, 'person:ann');
  for (let i = 0; i < SESSIONS; i += 1) await routeTicket(other, ticket(i), { queues });
  const once = await new Dreamer(other, quiet).dream({ store: 'once' });
  expect(often.reduce((sum, { reviewed }) => sum + reviewed.labelled, 0)).toBe(SESSIONS);
  expect(once.reviewed.labelled).toBe(SESSIONS);
  expect(once.insights.length).toBeGreaterThan(queues.length / 2);
  expect(costOf(often) / costOf([once])).toBeLessThan(3);
});
