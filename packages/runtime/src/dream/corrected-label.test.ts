import type { ChoiceInsight } from '@dreamfold/events';
import { openMemoryLog } from '@dreamfold/log';
import { describe, expect, it } from 'vitest';
import { UnguardedDreamer as Dreamer } from '../testing/unguarded-dreamer.ts';
import { MemoryKeeper } from '../memory/memory-keeper.ts';
import { QUEUES, insightsOf, judgeTicket, routeTicket, type RoutedSession, type Ticket } from '../testing/routed-sessions.ts';

const WORDS = { account: 'email', billing: 'refund', technical: 'crashes' } as const;
const TICKETS: Ticket[] = Object.entries(WORDS).flatMap(([queue, word]) =>
  ['ann', 'bob', 'cem', 'dee', 'eva'].map((who, i): Ticket => [who, queue, `${word} word${'abcde'[i]}`]),
);
const CHOSEN = 'account';

/** A log, a desk whose word is learnt from, and a store that applies by itself. */
async function desk() {
  const log = openMemoryLog();
  const memory = new MemoryKeeper(log);
  await memory.create({ name: 'desk', description: '', approval: 'auto' }, 'person:ann');
  const sessions: RoutedSession[] = [];
  for (const ticket of TICKETS) sessions.push(await routeTicket(log, ticket, { queues: QUEUES, chosen: CHOSEN }));
  const dreamer = (): Dreamer => new Dreamer(log, new MemoryKeeper(log));
  const says = (i: number, right: string): Promise<void> => judgeTicket(log, sessions[i]!, { right, chosen: CHOSEN });
  const insights = async (name = 'desk'): Promise<ChoiceInsight[]> => {
    const { state } = await new MemoryKeeper(log).load(name);
    return insightsOf(state)
      .filter((one) => one.kind === 'choice')
      .toSorted((a, b) => (a.id < b.id ? -1 : 1));
  };
  return { log, memory, dreamer, says, insights };
}
const cuesOf = (insights: readonly ChoiceInsight[]): string[] =>
  insights.flatMap(({ value, cues }) => cues.map(({ phrase }) => `${value}: ${phrase}`)).sort();

describe('a desk that corrects itself after a dream', () => {
  it.each([
    ['the same process', true],
    ['another process', false],
  ])('is heard by the next dream, in %s: the store holds what the corrected log teaches from the start', async (_where, same) => {
    const { memory, dreamer, says, insights } = await desk();
    const first = dreamer();
    await first.dream({ store: 'desk' });
    expect(cuesOf(await insights())).toContain('billing: refund');
    // All refunds were for the technical desk after all.
    for (const [i, [, right]] of TICKETS.entries()) if (right === 'billing') await says(i, 'technical');
    const { insights: judged } = await (same ? first : dreamer()).dream({ store: 'desk' });
    expect(cuesOf(await insights())).not.toContain('billing: refund');
    expect(cuesOf(await insights())).toContain('technical: refund');
    expect(judged.filter(({ change }) => change === 'retire')).toMatchObject([{ insight: { value: 'billing' }, status: 'applied' }]);

    await memory.create({ name: 'whole', description: '', approval: 'auto' }, 'person:ann');
    await dreamer().dream({ store: 'whole' });
    expect(await insights()).toEqual(await insights('whole'));

    const again = await (same ? first : dreamer()).dream({ store: 'desk', thorough: true });
    expect(again.insights).toEqual([]);
  });

  it('takes back that an insight misled those who followed it', async () => {
    const { log, memory, dreamer, insights } = await desk();
    await dreamer().dream({ store: 'desk' });
    const { id, state } = await memory.load('desk');
    const followed = (await insights()).find(({ value }) => value === 'billing')!.id;
    const given = { store: id, version: state.version, insights: [followed] };
    const sessions: RoutedSession[] = [];
    for (const who of ['p', 'q']) {
      sessions.push(await routeTicket(log, [who, 'technical', `about ${who}`], { queues: QUEUES, chosen: 'billing', given }));
    }
    const count = async (): Promise<unknown> => (await new MemoryKeeper(log).load('desk')).state.counts.get(followed);
    await dreamer().dream({ store: 'desk' });
    expect(await count()).toEqual({ helpful: 0, harmful: 2 });
    await judgeTicket(log, sessions[0]!, { right: 'billing', chosen: 'billing' });
    await dreamer().dream({ store: 'desk' });
    expect(await count()).toEqual({ helpful: 1, harmful: 1 });
  });
});
