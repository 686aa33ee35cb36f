import { streamOf, type LogEvent } from '@dreamfold/events';
import { openMemoryLog } from '@dreamfold/log';
import { expect, it } from 'vitest';
import { MemoryKeeper } from '../memory/memory-keeper.ts';
import { QUEUES, routeTicket, TICKETS } from '../testing/routed-sessions.ts';
import { MACHINE } from '../time/surroundings.ts';
import { Dreamer } from './dreamer.ts';
import { StoreDreams } from './store-dreams.ts';
import { UnreviewedSessions } from './unreviewed-sessions.ts';

it('a dream whose beginning was erased is passed over: what later ones reviewed is known', async () => {
  const log = openMemoryLog();
  const memory = new MemoryKeeper(log);
  const store = await memory.create({ name: 'desk', description: '', approval: 'manual' }, 'person:ann');
  const dreams = new StoreDreams(log, MACHINE);
  for (const ticket of TICKETS) {
    await routeTicket(log, ticket, { queues: QUEUES });
    await new Dreamer(log, memory).dream({ store: 'desk', thorough: true });
  }
  await log.erasure.erase(streamOf('dream', dreams.idOf(store, 1)), { seqs: [1], reason: 'asked for' });
  const unreviewed = new UnreviewedSessions(dreams, store, 1);
  await unreviewed.refresh();
  expect(unreviewed.reviewedThrough[0]).toBeGreaterThan(0);
  const next = { stream: streamOf('dream', dreams.idOf(store, TICKETS.length + 1)) } as LogEvent;
  expect(unreviewed.isOfNextDream(next)).toBe(true);
});

it('an erasure makes no session new, and nobody reviews it again', async () => {
  const log = openMemoryLog();
  const memory = new MemoryKeeper(log);
  const store = await memory.create({ name: 'desk', description: '', approval: 'manual' }, 'person:ann');
  await routeTicket(log, TICKETS[0]!, { queues: QUEUES });
  await new Dreamer(log, memory).dream({ store: 'desk' });
  const [stream] = (await log.findStreams('session/', 1)) as [string];
  const head = await log.head(stream);
  await log.erasure.erase(stream, { seqs: [2], reason: 'asked for' });
  const unreviewed = new UnreviewedSessions(new StoreDreams(log, MACHINE), store, 1);
  await unreviewed.refresh();
  for await (const events of log.read(stream, { from: head.seq + 1 })) for (const event of events) unreviewed.add(event, true);
  expect(unreviewed.count).toBe(0);
  expect(await new Dreamer(log, memory).dream({ store: 'desk' })).toMatchObject({ reviewed: { sessions: 0 } });
});
