import { streamOf, type LogEvent } from '@dreamfold/events';
import type { Suggestion } from '@dreamfold/dreaming';
import { openMemoryLog, type Log } from '@dreamfold/log';
import { describe, expect, it } from 'vitest';
import { ABANDONED_MS } from './dream-stream.ts';
import type { DreamOptions, DreamReport } from './dreamer.ts';
import { UnguardedDreamer as Dreamer } from '../testing/unguarded-dreamer.ts';
import { MACHINE } from '../time/surroundings.ts';
import { atClock } from '../testing/at-clock.ts';
import { MemoryKeeper } from '../memory/memory-keeper.ts';
import type { ProposalRequest, Proposer } from './proposers.ts';
import { StoreDreams } from './store-dreams.ts';
import { insightsOf, routeTicket, type Ticket } from '../testing/routed-sessions.ts';

const letters = Array.from('abcdefghijklmnopqrstuvwx');
const queues = letters.map((letter) => `queue${letter}`);
const PRINCIPALS = ['ann', 'bob', 'cem'];
/** Of each queue three principals say the same word: more insights than one append takes. */
const TICKETS: Ticket[] = letters.flatMap((letter, i) => PRINCIPALS.map((who): Ticket => [who, queues[i]!, `about${letter} from ${who}`]));
/** What the first dream learnt of one queue holds no more, and of another one there is more to say. */
const OTHERS: Ticket[] = Array.from({ length: 9 }, (_, i): Ticket[] => [
  [`p${letters[i]}`, 'queuex', 'abouta'],
  [`p${letters[i]}`, 'queueb', 'othersb'],
]).flat();

const note = (path: string, content: string, evidence: readonly string[]): Suggestion => ({
  kind: 'note',
  path,
  content,
  reason: 'r',
  evidence,
});

function without(record: object, ...fields: string[]): object {
  return Object.fromEntries(Object.entries(record).filter(([field]) => !fields.includes(field)));
}

/** A desk on a log of its own, on which one dream has ended and another one is to follow. */
class Desk {
  readonly log: Log;
  now = 1_000_000;
  /** Of all processes: the keys that the proposer was asked with. */
  readonly asked: string[] = [];
  suggestions: Suggestion[] = [];
  readonly #approval: 'auto' | 'manual';

  constructor(approval: 'auto' | 'manual') {
    this.#approval = approval;
    this.log = openMemoryLog({ clock: () => this.now });
  }

  async prepare(): Promise<void> {
    const memory = new MemoryKeeper(
      this.log,
      atClock(() => this.now),
    );
    const store = await memory.create({ name: 'desk', description: '', approval: this.#approval }, 'person:ann');
    for (const ticket of TICKETS.slice(0, 6)) await routeTicket(this.log, ticket, { queues });
    await new Dreamer(
      this.log,
      memory,
      atClock(() => this.now),
    ).dream({ store: 'desk' });
    const { state } = await memory.load('desk');
    const insights = insightsOf(state).map(({ id }) => id);
    const given = { store, version: state.version, insights };
    for (const ticket of OTHERS) await routeTicket(this.log, ticket, { queues, chosen: 'queuea', given });
    const sessions = [];
    for (const ticket of TICKETS.slice(6)) sessions.push(await routeTicket(this.log, ticket, { queues }));
    const evidence = [`session/${sessions[0]!.id}#5`];
    const key = ['AKIA', 'ABCDEFGHIJKLMNOP'].join('');
    this.suggestions = [note('/tone.md', 'Be brief.', evidence), note('/k.md', `Use ${key}`, evidence), 7 as unknown as Suggestion];
  }

  proposer(): Proposer {
    return {
      name: 'model',
      propose: async ({ key, episodes }: ProposalRequest) => {
        this.asked.push(key);
        return [note('/long.md', `There were ${episodes.length}.`, this.suggestions[0]!.evidence)];
      },
    };
  }

  /** A process that dreams. @param log as it sees it */
  async dream(log: Log, options: Partial<DreamOptions> = {}): Promise<DreamReport> {
    const clock = atClock(() => this.now);
    const dreamer = new Dreamer(log, new MemoryKeeper(log, clock), clock);
    return dreamer.dream({ store: 'desk', proposers: [this.proposer()], ...options });
  }

  /** Dreams with the suggestions, or goes on with the dream that has them. */
  async goOn(log: Log): Promise<DreamReport> {
    return this.dream(log, (await this.events()).length === 0 ? { suggestions: this.suggestions } : {});
  }

  async isCompleted(): Promise<boolean> {
    return (await this.events()).at(-1)?.type === 'dream.completed';
  }

  /** What the dreams and the store have come to, without times and processes. */
  async end(): Promise<unknown> {
    const memory = new MemoryKeeper(this.log);
    const { state } = await memory.load('desk');
    const dreams = await new Dreamer(this.log, memory).list();
    return {
      document: state.document,
      counts: [...state.counts],
      history: state.history.map((version) => without(version, 'time')),
      patches: [...state.patches].map((record) => without(record, 'time')),
      dreams: dreams.map(({ id, state: dream }) => ({
        id,
        range: without(dream.started!, 'log_id', 'by'),
        ...without(dream, 'started', 'by', 'time', 'seq'),
      })),
    };
  }

  /** Of the dream. */
  async events(): Promise<LogEvent[]> {
    const id = new StoreDreams(this.log, MACHINE).idOf(new MemoryKeeper(this.log).idOf('desk'), 2);
    const events: LogEvent[] = [];
    for await (const batch of this.log.read(streamOf('dream', id))) events.push(...batch);
    return events;
  }
}

/** A log as a process sees it that dies at one of its appends, before or after it counts: nothing that it does later counts. */
function dyingAt(log: Log, at: number, when: 'before' | 'after'): Log {
  let appends = 0;
  const append: Log['append'] = async (request) => {
    appends += 1;
    const appended = appends < at || (appends === at && when === 'after') ? await log.append(request) : null;
    if (appends >= at) throw new Error('killed');
    return appended!;
  };
  return new Proxy(log, {
    get: (target, name) => {
      const value: unknown = name === 'append' ? append : Reflect.get(target, name);
      return typeof value === 'function' && name !== 'append' ? value.bind(target) : value;
    },
  });
}

/** How many appends a process makes that is not disturbed, what it reports, and what it comes to. */
async function undisturbed(approval: 'auto' | 'manual'): Promise<{ appends: number; report: DreamReport; end: unknown }> {
  const desk = new Desk(approval);
  await desk.prepare();
  let appends = 0;
  const counted = new Proxy(desk.log, {
    get: (target, name) => {
      if (name === 'append') appends += 1;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const report = await desk.goOn(counted);
  return { appends, report, end: await desk.end() };
}

/** Whatever dies: both answers stand once, what was decided too, and the proposer was asked with one key. */
const STANDS = { answers: 2, decisions: 1, keys: 1 };

/** What a dream comes to of which a process dies at an append, and the next one at the append after its claim. */
async function killed(
  approval: 'auto' | 'manual',
  { at, when, deaths }: { at: number; when: 'before' | 'after'; deaths: number },
): Promise<typeof STANDS & { report: DreamReport | null; end: unknown }> {
  const desk = new Desk(approval);
  await desk.prepare();
  for (let death = 0; death < deaths && !(await desk.isCompleted()); death += 1) {
    await desk.goOn(dyingAt(desk.log, death === 0 ? at : 2, when)).catch(wasKilled);
    desk.now += ABANDONED_MS;
  }
  const report = (await desk.isCompleted()) ? null : await desk.goOn(desk.log);
  const count = async (wanted: string): Promise<number> => (await desk.events()).filter(({ type }) => type === wanted).length;
  const [answers, decisions] = [await count('dream.proposal_answered'), await count('dream.refined')];
  return { report, end: await desk.end(), answers, decisions, keys: new Set(desk.asked).size };
}

function wasKilled(error: unknown): void {
  expect(error).toMatchObject({ message: 'killed' });
}

/** Of a store that waits for a person, nothing is there yet to be changed. */
const CHANGES = { auto: ['add', 'replace'], manual: ['add'] };

const told = (report: DreamReport): unknown => without(report, 'work');

describe.each(['auto', 'manual'] as const)('a dream of a store with approval %s', (approval) => {
  it('comes to the same wherever its process dies, again and again', async () => {
    const whole = await undisturbed(approval);
    expect(whole.appends).toBeGreaterThan(5);
    // More than one append of them, of every kind.
    expect(whole.report.insights.length).toBeGreaterThan(20);
    expect(new Set(whole.report.insights.map(({ change }) => change))).toEqual(new Set(CHANGES[approval]));
    for (let at = 1; at <= whole.appends; at += 1) {
      for (const when of ['before', 'after'] as const) {
        for (const deaths of [1, 2]) {
          const place = `${when} append ${at}, ${deaths} times`;
          const gone = await killed(approval, { at, when, deaths });
          // Of a process that died after its last append nobody has the report.
          const report = gone.report ?? whole.report;
          expect({ place, ...gone, report: told(report) }).toEqual({ place, ...STANDS, report: told(whole.report), end: whole.end });
        }
      }
    }
  }, 120_000);
});

it('counts outcomes once for each dream, also where the process that had it before is still at it', async () => {
  const memory = new MemoryKeeper(openMemoryLog());
  await memory.create({ name: 'desk', description: '', approval: 'auto' }, 'person:ann');
  const counts = [{ insight_id: 'i1', helpful: 2, harmful: 0 }];
  for (const dreamId of ['drm_1', 'drm_1', 'drm_2']) await memory.countInsights('desk', { dreamId, counts });
  expect((await memory.load('desk')).state.counts.get('i1')).toEqual({ helpful: 4, harmful: 0 });
});

it('knows what a dream elsewhere has proposed that was called off', async () => {
  const log = openMemoryLog();
  const memory = new MemoryKeeper(log);
  const store = await memory.create({ name: 'desk', description: '', approval: 'manual' }, 'person:ann');
  const dreamer = new Dreamer(log, memory);
  await dreamer.dream({ store: 'desk' });
  for (const ticket of TICKETS.slice(0, 9)) await routeTicket(log, ticket, { queues });
  const dying = dyingAt(log, 4, 'before');
  await new Dreamer(dying, new MemoryKeeper(dying)).dream({ store: 'desk' }).catch(wasKilled);
  await dreamer.cancel(new StoreDreams(log, MACHINE).idOf(store, 2), { by: 'person:ann', reason: 'Too slow.' });
  const waiting = async (): Promise<string[]> => {
    const { patches } = (await memory.load('desk')).state;
    return [...patches].filter(({ status }) => status === 'validated').map(({ proposal }) => proposal.operations.at(-1)!.path);
  };
  const proposed = await waiting();
  expect(proposed.length).toBe(3);
  // Twice as many say so: what was proposed makes way for what is known now.
  for (const [who, queue, request] of TICKETS.slice(0, 9)) await routeTicket(log, [`${who}s`, queue, request], { queues });
  await dreamer.dream({ store: 'desk', thorough: true });
  expect((await waiting()).toSorted()).toEqual(proposed.toSorted());
});
