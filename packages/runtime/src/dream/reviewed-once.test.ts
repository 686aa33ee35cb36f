import { newEvent, streamOf, text, type NewEvent } from '@dreamfold/events';
import { openMemoryLog, type Log } from '@dreamfold/log';
import { beforeEach, expect, it } from 'vitest';
import { Dreamer } from './dreamer.ts';
import { MemoryKeeper } from '../memory/memory-keeper.ts';
import { insightsOf, QUEUES, routeTicket, TICKETS } from '../testing/routed-sessions.ts';

let log: Log;
let memory: MemoryKeeper;
let dreamer: Dreamer;

beforeEach(async () => {
  log = openMemoryLog();
  memory = new MemoryKeeper(log);
  dreamer = new Dreamer(log, memory);
  await freshStore('desk');
});

async function freshStore(name: string): Promise<void> {
  await memory.create({ name, description: '', approval: 'auto' }, 'person:ann');
}

async function learntBy(name: string): Promise<string[]> {
  const insights = insightsOf((await memory.load(name)).state);
  return insights.flatMap((one) => (one.kind === 'choice' ? one.cues.map(({ phrase }) => `${one.value}: ${phrase}`) : [])).sort();
}

it('a dream misses no session that ended and was asked for more, and reads no question without its answer', async () => {
  const add = async (id: string, event: NewEvent): Promise<unknown> =>
    log.append({
      stream: streamOf('session', id),
      id: `a${String(await log.cursor())}`,
      expected: 'any',
      events: [{ ...event, class: 'open' }],
    });
  const reviewed = async (): Promise<number> => (await dreamer.dream({ store: 'desk' })).reviewed.sessions;
  const session = await routeTicket(log, TICKETS[0]!, { queues: QUEUES });
  const question = newEvent('user.message', 'user', { content: text('And my other bill?') });
  await add(session.id, question);
  // Nobody may ever begin with it, but what came before has ended.
  expect(await reviewed()).toBe(1);
  await add(session.id, question);
  expect(await reviewed()).toBe(0);
  await add(session.id, newEvent('session.status_running', 'system', {}));
  expect(await reviewed()).toBe(0);
  await add(session.id, newEvent('session.status_idle', 'system', { stop_reason: { type: 'end_turn' }, stop_details: null }));
  expect(await reviewed()).toBe(1);
  expect(await reviewed()).toBe(0);
});

it('a dream learns from what another dream has reviewed when all of that has come here', async () => {
  for (const ticket of TICKETS) await routeTicket(log, ticket, { queues: QUEUES });
  await dreamer.dream({ store: 'desk' });
  await freshStore('whole');
  // Of a log with several partitions, the dream may come before the sessions that it has reviewed.
  let isHere = false;
  const hasCome = (stream: string): boolean => isHere || !stream.startsWith('session/');
  const late = new Proxy(log, {
    get: (target, name) => {
      if (name === 'read') return (...[stream, options]: Parameters<Log['read']>) => (hasCome(stream) ? target.read(stream, options) : []);
      if (name === 'waitFor') return async (position: number) => target.waitFor(position).then(() => (isHere = true));
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  for (let i = 0; i < 3; i += 1) await routeTicket(log, ['zoe', 'billing', `An invoice ${i}`], { queues: QUEUES });
  await new Dreamer(late, new MemoryKeeper(late)).dream({ store: 'desk', thorough: true });
  await dreamer.dream({ store: 'whole', thorough: true });
  expect(await learntBy('desk')).toEqual(await learntBy('whole'));
});

it('a dream sees the memory as the dreams before it have left it, also those that end while it looks back', async () => {
  for (const ticket of TICKETS) await routeTicket(log, ticket, { queues: QUEUES });
  let isFirst = true;
  const interrupted = new Proxy(log, {
    get: (target, name) => {
      if (name === 'head')
        return async (stream: string) => {
          if (stream.startsWith('dream/') && isFirst) {
            isFirst = false;
            await dreamer.dream({ store: 'desk' });
          }
          return target.head(stream);
        };
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const report = await new Dreamer(interrupted, new MemoryKeeper(interrupted)).dream({ store: 'desk', thorough: true });
  expect([report.reviewed.sessions, report.insights]).toEqual([0, []]);
});
