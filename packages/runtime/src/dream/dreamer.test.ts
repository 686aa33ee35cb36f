import { isDreamfoldError, newEvent, streamOf, type StoredEvent } from '@dreamfold/events';
import { forbiddenPhrase, type Suggestion } from '@dreamfold/dreaming';
import { openMemoryLog, type Log } from '@dreamfold/log';
import { beforeEach, describe, expect, it } from 'vitest';
import { ABANDONED_MS } from './dream-stream.ts';
import type { DreamReport } from './dreamer.ts';
import { UnguardedDreamer as Dreamer } from '../testing/unguarded-dreamer.ts';
import { atClock } from '../testing/at-clock.ts';
import { MemoryKeeper } from '../memory/memory-keeper.ts';
import { StoreDreams } from './store-dreams.ts';
import { QUEUES, TICKETS, insightsOf, judgeTicket, routeTicket, type RoutedSession, type Ticket } from '../testing/routed-sessions.ts';

let now = 1_000_000;
const clock = atClock(() => now);
let log: Log;
let memory: MemoryKeeper;
let dreamer: Dreamer;
let store: string;

async function freshStore(name: string, approval: 'auto' | 'manual'): Promise<string> {
  return memory.create({ name, description: '', approval }, 'person:ann');
}

beforeEach(async () => {
  now = 1_000_000;
  log = openMemoryLog({ clock: () => now });
  memory = new MemoryKeeper(log);
  dreamer = new Dreamer(log, memory, clock);
  store = await freshStore('desk', 'auto');
});

async function route(tickets: readonly Ticket[], options: Partial<Parameters<typeof routeTicket>[2]> = {}): Promise<RoutedSession[]> {
  const sessions: RoutedSession[] = [];
  for (const ticket of tickets) sessions.push(await routeTicket(log, ticket, { queues: QUEUES, ...options }));
  return sessions;
}

const values = ({ insights }: DreamReport): string[] =>
  insights.map(({ insight, status }) => `${insight.kind === 'choice' ? insight.value : insight.kind}: ${status}`).sort();

async function documentOf(name: string): Promise<unknown> {
  return (await memory.load(name)).state.document;
}

async function cuesIn(name: string): Promise<string[]> {
  const { state } = await memory.load(name);
  return insightsOf(state)
    .flatMap((one) => (one.kind === 'choice' ? one.cues.map(({ phrase }) => `${one.value}: ${phrase}`) : []))
    .sort();
}

describe('a dream', () => {
  it('has its phases on the log, and its patches in the store', async () => {
    await route(TICKETS);
    const report = await dreamer.dream({ store: 'desk' });
    expect(values(report)).toEqual(['account: applied', 'billing: applied', 'technical: applied']);
    const types: string[] = [];
    for await (const batch of log.read(streamOf('dream', report.dreamId))) types.push(...batch.map(({ type }) => type));
    expect(types).toEqual([
      'dream.started',
      'dream.reviewed',
      'dream.refined',
      'dream.insight_proposed',
      'dream.insight_proposed',
      'dream.insight_proposed',
      'dream.completed',
    ]);
    expect(report.reviewed).toEqual({ sessions: 9, decisions: 9, labelled: 9 });
    const state = await dreamer.load(report.dreamId);
    expect(state).toMatchObject({ status: 'completed', started: { number: 1, after: [0] }, reviewed: { labelled: 9 } });
    expect(state.patchIds).toEqual(report.insights.map(({ patchId }) => patchId));
  });

  it('that finds nothing is one append', async () => {
    for (const round of [1, 2]) await route(TICKETS.map(([who, right, request]) => [`${who}${round}`, right, request]));
    await dreamer.dream({ store: 'desk' });
    await route([['zoe', 'billing', 'A bill']]);
    const { dreamId } = await dreamer.dream({ store: 'desk' });
    const events = [];
    for await (const batch of log.archive.readStored(streamOf('dream', dreamId))) events.push(...batch);
    expect(events.map(({ type, append: { i, n } }) => [type, i, n])).toEqual([
      ['dream.started', 0, 3],
      ['dream.reviewed', 1, 3],
      ['dream.completed', 2, 3],
    ]);
  });

  it('dreamt again adds nothing, in the same process or in another', async () => {
    await route(TICKETS);
    await dreamer.dream({ store: 'desk' });
    const before = await documentOf('desk');
    for (const again of [dreamer, new Dreamer(log, new MemoryKeeper(log), clock)]) {
      const report = await again.dream({ store: 'desk', thorough: true });
      expect([report.reviewed.sessions, report.insights]).toEqual([0, []]);
    }
    expect(await documentOf('desk')).toEqual(before);
  });

  it('reviews what is new, and comes to the same as one dream over all', async () => {
    await freshStore('whole', 'auto');
    for (const ticket of TICKETS) {
      await route([ticket]);
      const { reviewed } = await dreamer.dream({ store: 'desk', thorough: true });
      expect(reviewed.sessions).toBe(1);
    }
    await dreamer.dream({ store: 'whole', thorough: true });
    // Points that have drifted by one are not written again.
    expect(await cuesIn('desk')).toEqual(await cuesIn('whole'));
  });

  it('builds what it knows from the log again where another process has dreamt', async () => {
    await route(TICKETS.slice(0, 5));
    await dreamer.dream({ store: 'desk' });
    await route(TICKETS.slice(5));
    const other = new Dreamer(log, new MemoryKeeper(log), clock);
    await other.dream({ store: 'desk', thorough: true });
    await freshStore('whole', 'auto');
    await dreamer.dream({ store: 'whole', thorough: true });
    expect(await cuesIn('desk')).toEqual(await cuesIn('whole'));
    await route([['zoe', 'billing', 'Where is my refund']]);
    expect((await dreamer.dream({ store: 'desk' })).reviewed.sessions).toBe(1);
  });

  it('learns from feedback that comes after its session was reviewed, once', async () => {
    const sessions = await route(TICKETS.map(([who, , request]) => [who, null, request]));
    expect((await dreamer.dream({ store: 'desk', thorough: true })).insights).toEqual([]);
    for (const [i, session] of sessions.entries()) await judgeTicket(log, session, { right: TICKETS[i]![1]!, chosen: 'account' });
    const later = await dreamer.dream({ store: 'desk', thorough: true });
    expect(later.reviewed).toEqual({ sessions: 9, decisions: 9, labelled: 9 });
    expect(values(later)).toHaveLength(3);
    for (const [i, session] of sessions.entries()) await judgeTicket(log, session, { right: TICKETS[i]![1]!, chosen: 'account' });
    expect((await dreamer.dream({ store: 'desk', thorough: true })).insights).toEqual([]);
  });

  it('leaves what ends while it runs to the next one', async () => {
    await route(TICKETS);
    const late: Ticket = ['zoe', 'billing', 'Where is my refund'];
    // A session ends when the dream has claimed its range.
    const writing = new Proxy(log, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (name !== 'readRange') return typeof value === 'function' ? value.bind(target) : value;
        return async function* read(...range: Parameters<Log['readRange']>) {
          yield* target.readRange(...range);
          await routeTicket(log, late, { queues: QUEUES });
        };
      },
    });
    const other = new Dreamer(writing, new MemoryKeeper(log), clock);
    expect((await other.dream({ store: 'desk' })).reviewed.sessions).toBe(9);
    expect((await other.dream({ store: 'desk' })).reviewed.sessions).toBe(1);
  });

  it('of a log that was restored from elsewhere reads what that one has reviewed again', async () => {
    await route(TICKETS);
    const dreamt = await dreamer.dream({ store: 'desk' });
    const stored: StoredEvent[] = [];
    for await (const streams of log.streams()) {
      // In the new log the sessions come after the dream, where its range would hide them.
      const order = streams.map(({ stream }) => stream).filter((stream) => !stream.startsWith('log/'));
      for (const stream of order.toSorted()) for await (const batch of log.archive.readStored(stream)) stored.push(...batch);
    }
    const there = openMemoryLog({ clock: () => now });
    await there.archive.restore(stored);
    for (let i = 0; i < 3; i += 1) await routeTicket(there, ['zoe', 'billing', `Where is refund ${i}`], { queues: QUEUES });
    const report = await new Dreamer(there, new MemoryKeeper(there), clock).dream({ store: 'desk' });
    expect(report.reviewed.sessions).toBe(dreamt.reviewed.sessions + 3);
  });

  it('of named sessions leaves the others for the next one', async () => {
    const sessions = await route(TICKETS);
    const few = await dreamer.dream({ store: 'desk', sessions: sessions.slice(0, 2).map(({ id }) => id) });
    expect(few).toMatchObject({ reviewed: { sessions: 2 }, insights: [] });
    expect((await dreamer.dream({ store: 'desk', thorough: true })).reviewed.sessions).toBe(9);
    await expect(dreamer.dream({ store: 'desk', sessions: ['sesn_nope'] })).rejects.toSatisfy((e) => isDreamfoldError(e, 'not_found'));
    expect((await dreamer.dream({ store: 'desk' })).insights).toEqual([]);
  });
});

describe('two dreamers', () => {
  const outcomeOf = async (dream: Promise<DreamReport>): Promise<string> =>
    dream.then(
      ({ dreamId }) => dreamId,
      (error: unknown) => (isDreamfoldError(error) ? error.code : String(error)),
    );

  it('never review the same: one dreams, and the other is told', async () => {
    await route(TICKETS);
    const others = Array.from({ length: 4 }, () => new Dreamer(log, new MemoryKeeper(log), clock));
    const outcomes = await Promise.all(others.map((other) => outcomeOf(other.dream({ store: 'desk' }))));
    expect(outcomes.filter((outcome) => outcome === 'store_locked').length).toBeGreaterThan(0);
    const dreams = await dreamer.list();
    const reviewed = dreams.flatMap(({ state }) => state.reviewed.sessions.map(({ session_id: id }) => id));
    expect(reviewed).toHaveLength(9);
    expect(new Set(reviewed).size).toBe(9);
  });

  it('one takes over when the other has died, which can write no more', async () => {
    // A review of so many events is claimed before it begins.
    for (let i = 0; i < 6; i += 1) await route(TICKETS);
    const reading = Promise.withResolvers<void>();
    const stopped = Promise.withResolvers<void>();
    // A log whose reading hangs: the dream has begun, and gets no further until it is let go.
    const hanging = new Proxy(log, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (name !== 'readRange') return typeof value === 'function' ? value.bind(target) : value;
        return async function* hang(...range: Parameters<Log['readRange']>) {
          reading.resolve();
          await stopped.promise;
          yield* target.readRange(...range);
        };
      },
    });
    const dead = outcomeOf(new Dreamer(hanging, new MemoryKeeper(log), clock).dream({ store: 'desk' }));
    await reading.promise;
    expect(await outcomeOf(dreamer.dream({ store: 'desk' }))).toBe('store_locked');
    now += 200_000;
    const report = await dreamer.dream({ store: 'desk' });
    expect(report.reviewed.sessions).toBe(54);
    stopped.resolve();
    expect(await dead).toBe('head_conflict');
    const states = (await dreamer.list()).map(({ state }) => state.status);
    expect(states).toEqual(['completed']);
  });
});

describe('a dream that was left', () => {
  const statuses = async (): Promise<string[]> => (await dreamer.list()).map(({ state }) => state.status);

  it('by an older version is ended, and dreamt again', async () => {
    await route(TICKETS);
    const dreamId = new StoreDreams(log, clock).idOf(store, 1);
    const range = { after: [0], through: [...(await log.cursor())] };
    const begun = newEvent('dream.started', 'system', { store_id: store, number: 1, log_id: log.logId, ...range });
    await log.append({ stream: streamOf('dream', dreamId), id: 'sevt_old', expected: 0, events: [begun] });
    now += ABANDONED_MS;
    expect((await dreamer.dream({ store: 'desk' })).reviewed.sessions).toBe(9);
    expect(await statuses()).toEqual(['failed', 'completed']);
  });

  it('is decided anew when the rules have changed, and keeps what its proposers have answered', async () => {
    const [first] = await route(TICKETS);
    let asked = 0;
    const propose = async (): Promise<Suggestion[]> => {
      asked += 1;
      return [{ kind: 'note', path: '/tone.md', content: 'Be brief.', reason: 'r', evidence: [`session/${first!.id}#5`] }];
    };
    const proposers = [{ name: 'model', propose }];
    // The store can't be written to once it is decided what to write.
    const failing = new MemoryKeeper(log);
    failing.propose = async () => new Promise(() => {});
    void new Dreamer(log, failing, clock).dream({ store: 'desk', proposers });
    const dreamId = new StoreDreams(log, clock).idOf(store, 1);
    await expect.poll(async () => (await dreamer.load(dreamId)).refined?.insights).toBe(4);
    now += ABANDONED_MS;
    const report = await dreamer.dream({
      store: 'desk',
      proposers,
      constitution: [forbiddenPhrase('queue = billing'), forbiddenPhrase('brief')],
    });
    expect(values(report)).toEqual(['account: applied', 'billing: rejected', 'note: rejected', 'technical: applied']);
    expect([report.dreamId, asked]).toEqual([dreamId, 1]);
  });

  it('is gone on with before what else is asked for', async () => {
    const sessions = await route(TICKETS);
    const dying = new MemoryKeeper(log);
    dying.asOf = async () => new Promise(() => {});
    void new Dreamer(log, dying, clock).dream({ store: 'desk', sessions: [sessions[0]!.id], thorough: true });
    const dreamId = new StoreDreams(log, clock).idOf(store, 1);
    await expect.poll(async () => (await dreamer.load(dreamId)).status).toBe('running');
    now += ABANDONED_MS;
    const report = await dreamer.dream({ store: 'desk', thorough: true });
    expect(report.reviewed.sessions).toBe(9);
    expect((await dreamer.list()).map(({ state }) => [state.status, state.reviewed.sessions.length])).toEqual([
      ['completed', 1],
      ['completed', 9],
    ]);
  });

  it('is none when it fails on what the log does not take: it has ended then', async () => {
    await route(TICKETS);
    const endless = { name: 'endless', check: () => 'no '.repeat(1_000_000) };
    const failing = dreamer.dream({ store: 'desk', constitution: [endless] });
    await expect(failing).rejects.toSatisfy((error) => isDreamfoldError(error, 'payload_too_large'));
    expect((await dreamer.dream({ store: 'desk' })).insights).toHaveLength(3);
    expect(await statuses()).toEqual(['failed', 'completed']);
  });

  it('can be called off, and its dreamer writes no more', async () => {
    const sessions = await route(TICKETS);
    let goOn = (): void => {};
    const waits = { name: 'slow', propose: () => new Promise<unknown>((resolve) => (goOn = () => resolve([]))) };
    const dream = dreamer.dream({ store: 'desk', sessions: [sessions[0]!.id], proposers: [waits] });
    const dreamId = new StoreDreams(log, clock).idOf(store, 1);
    await expect.poll(async () => (await dreamer.load(dreamId)).requested).toEqual(['slow']);
    for (let twice = 0; twice < 2; twice += 1) await dreamer.cancel(dreamId, { by: 'person:ann', reason: 'Too slow.' });
    goOn();
    await expect(dream).rejects.toSatisfy((error) => isDreamfoldError(error, 'head_conflict'));
    const { dreamId: next, reviewed } = await dreamer.dream({ store: 'desk' });
    expect(reviewed.sessions).toBe(9);
    expect(await statuses()).toEqual(['cancelled', 'completed']);
    await expect(dreamer.cancel(next, { by: 'person:ann', reason: '' })).rejects.toSatisfy((e) =>
      isDreamfoldError(e, 'precondition_failed'),
    );
    await expect(dreamer.cancel('drm_none', { by: 'person:ann', reason: '' })).rejects.toSatisfy((e) => isDreamfoldError(e, 'not_found'));
  });
});

describe('a proposer', () => {
  it('that fails suggests nothing, and the dream goes on', async () => {
    await route(TICKETS);
    const propose = async (): Promise<never> => Promise.reject(new Error('overloaded'));
    const report = await dreamer.dream({ store: 'desk', proposers: [{ name: 'model', propose }] });
    expect(values(report)).toEqual(['account: applied', 'billing: applied', 'technical: applied']);
    expect((await dreamer.load(report.dreamId)).answers).toEqual([
      { proposer: 'model', suggestions: [], error: { type: 'Error', message: 'overloaded' } },
    ]);
  });

  it.each([[['a', 'a']], [['caller']], [['']], [['x'.repeat(65)]]])('called %j is refused', async (names) => {
    const proposers = names.map((name) => ({ name, propose: async () => [] }));
    await expect(dreamer.dream({ store: 'desk', proposers })).rejects.toSatisfy((e) => isDreamfoldError(e, 'invalid_argument'));
  });
});

describe('review', () => {
  const note = (evidence: string): Suggestion => ({
    kind: 'note',
    path: '/tone.md',
    content: 'Be brief.',
    reason: 'r',
    evidence: [evidence],
  });
  const feedbackOf = ({ id }: RoutedSession): string => `session/${id}#5`;

  it('leaves free text to a person even where the store applies by itself', async () => {
    const [first] = await route(TICKETS);
    const report = await dreamer.dream({ store: 'desk', suggestions: [note(feedbackOf(first!))] });
    const suggested = report.insights.at(-1)!;
    expect([suggested.insight.kind, suggested.tier, suggested.status]).toEqual(['note', 'untrusted', 'validated']);
    expect(JSON.stringify(await documentOf('desk'))).not.toContain('Be brief');
    await memory.approve('desk', suggested.patchId!, { by: 'person:mara' });
    expect(JSON.stringify(await documentOf('desk'))).toContain('Be brief');
  });

  it('would apply it without the gate', async () => {
    const [first] = await route(TICKETS);
    await dreamer.dream({ store: 'desk', suggestions: [note(feedbackOf(first!))], without: ['taint'] });
    expect(JSON.stringify(await documentOf('desk'))).toContain('Be brief');
  });

  it('waits for a person where the store says manual; what was turned down stays so', async () => {
    await freshStore('slow', 'manual');
    await route(TICKETS);
    const { insights } = await dreamer.dream({ store: 'slow' });
    expect(insights.map(({ status }) => status)).toEqual(['validated', 'validated', 'validated']);
    await memory.reject('slow', insights[0]!.patchId!, { by: 'person:mara', reason: 'No.' });
    const again = await dreamer.dream({ store: 'slow', thorough: true });
    expect(new Map(again.insights.map(({ patchId, status }) => [patchId, status]))).toEqual(
      new Map(insights.map(({ patchId }, i) => [patchId, i === 0 ? 'rejected' : 'validated'])),
    );
    expect((await dreamer.load(again.dreamId)).insights).toEqual([]);
  });

  it('keeps to the constitution, and records nothing of a secret', async () => {
    const [first] = await route(TICKETS);
    const key = ['AKIA', 'ABCDEFGHIJKLMNOP'].join('');
    const bad: Suggestion = { ...note(feedbackOf(first!)), kind: 'note', path: '/k.md', content: `Use ${key}` };
    const report = await dreamer.dream({ store: 'desk', suggestions: [bad], constitution: [forbiddenPhrase('queue = billing')] });
    const failed = report.insights.filter(({ status }) => status === 'rejected').map(({ gates }) => gates.at(-1)!.gate);
    expect(failed).toEqual(['constitution', 'secrets']);
    for await (const streams of log.streams()) {
      for (const { stream } of streams) {
        for await (const batch of log.read(stream)) expect(JSON.stringify(batch)).not.toContain(key);
      }
    }
    expect((await dreamer.load(report.dreamId)).insights.filter(({ rejected }) => rejected !== null)).toHaveLength(2);
  });
});
