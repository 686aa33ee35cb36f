import type { EventData } from '@dreamfold/events';
import { openMemoryLog, type Log } from '@dreamfold/log';
import { beforeEach, describe, expect, it } from 'vitest';
import { UnguardedDreamer as Dreamer } from '../testing/unguarded-dreamer.ts';
import { MemoryKeeper } from '../memory/memory-keeper.ts';
import { QUEUES, insightsOf, routeTicket, TICKETS, type Ticket } from '../testing/routed-sessions.ts';

let log: Log;
let memory: MemoryKeeper;
let dreamer: Dreamer;
let store: string;

beforeEach(async () => {
  log = openMemoryLog();
  memory = new MemoryKeeper(log);
  dreamer = new Dreamer(log, memory);
  store = await memory.create({ name: 'desk', description: '', approval: 'auto' }, 'person:ann');
});

async function route(tickets: readonly Ticket[], options: Partial<Parameters<typeof routeTicket>[2]> = {}): Promise<void> {
  for (const ticket of tickets) await routeTicket(log, ticket, { queues: QUEUES, ...options });
}

describe('outcomes', () => {
  const followed = async (who: string, right: string, chosen = 'billing'): Promise<void> => {
    const { state } = await memory.load('desk');
    const insights = insightsOf(state).map(({ id }) => id);
    await route([[who, right, `about ${who}`]], { chosen, given: { store, version: state.version, insights } });
  };
  const counts = async (): Promise<EventData['memory.insights_counted']['counts']> => {
    const { state } = await memory.load('desk');
    return [...state.counts].map(([insight_id, { helpful, harmful }]) => ({ insight_id, helpful, harmful }));
  };

  it('count for or against what was given and followed, in principals', async () => {
    // Enough to keep the points where they are while outcomes come in.
    for (let i = 0; i < 8; i += 1) await route(TICKETS.map(([who, right, request]) => [`${who}${i}`, right, request]));
    const { insights } = await dreamer.dream({ store: 'desk' });
    const billing = insights.find(({ insight }) => insight.kind === 'choice' && insight.value === 'billing')!.insight.id;
    for (const who of ['p', 'p', 'q']) await followed(who, 'billing');
    await followed('r', 'account');
    await followed('s', 'billing', 'technical');
    await dreamer.dream({ store: 'desk' });
    expect((await counts()).find(({ insight_id: id }) => id === billing)).toEqual({ insight_id: billing, helpful: 2, harmful: 1 });
    await followed('p', 'billing');
    await followed('t', 'billing');
    await new Dreamer(log, new MemoryKeeper(log)).dream({ store: 'desk' });
    expect((await counts()).find(({ insight_id: id }) => id === billing)).toMatchObject({ helpful: 3, harmful: 1 });
  });

  it('are not those of an older wording', async () => {
    await route(TICKETS);
    await dreamer.dream({ store: 'desk' });
    const { state } = await memory.load('desk');
    const insights = [...state.written].length;
    expect(insights).toBe(3);
    await route([['r', 'account', 'refund']], { chosen: 'billing', given: { store, version: 0, insights: ['x'] } });
    await dreamer.dream({ store: 'desk' });
    expect(await counts()).toEqual([]);
  });
});
