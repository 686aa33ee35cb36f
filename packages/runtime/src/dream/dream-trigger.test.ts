import { setTimeout as sleep } from 'node:timers/promises';
import { DreamfoldError, isDreamfoldError, streamOf, text, type NewEvent } from '@dreamfold/events';
import { openMemoryLog, type AppendRequest, type Log } from '@dreamfold/log';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { dreamByRules, type DreamNews, type TriggerOptions } from './dream-trigger.ts';
import type { DreamRule } from './dream-rule.ts';
import { Dreamer } from './dreamer.ts';
import { atClock } from '../testing/at-clock.ts';
import { MemoryKeeper } from '../memory/memory-keeper.ts';
import { StoreDreams } from './store-dreams.ts';
import { judgeTicket, routeTicket, type RoutedSession } from '../testing/routed-sessions.ts';

const queues = ['billing', 'technical'];

let log: Log;
let store: string;
const running: Trigger[] = [];

beforeEach(async () => {
  log = openMemoryLog();
  store = await new MemoryKeeper(log).create({ name: 'desk', description: '', approval: 'auto' }, 'person:ann');
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((trigger) => trigger.close().catch(() => null)));
});

/** A trigger with a dreamer of its own, as another process would have. */
class Trigger {
  readonly news: DreamNews[] = [];
  readonly ended: Promise<void>;
  readonly #stop = new AbortController();

  constructor(rules: readonly DreamRule[], options: Partial<TriggerOptions> = {}) {
    const on = options.log ?? log;
    const memory = new MemoryKeeper(on);
    const tell = (news: DreamNews): void => void this.news.push(news);
    const dreamer = new Dreamer(on, memory);
    this.ended = dreamByRules({ log: on, memory, dreamer, rules, tell, signal: this.#stop.signal, pauseMs: 1, ...options });
    this.ended.catch(() => null);
    running.push(this);
  }

  /** Sessions of each dream here, in the order of the dreams. */
  get dreamt(): number[] {
    return this.news.flatMap((one) => (one.type === 'dreamt' ? [one.report.reviewed.sessions] : []));
  }

  close(): Promise<void> {
    this.#stop.abort();
    return this.ended;
  }
}

let count = 0;
async function finish(sessions: number, on: Log = log): Promise<RoutedSession[]> {
  const routed: RoutedSession[] = [];
  for (let i = 0; i < sessions; i += 1) routed.push(await routeTicket(on, [`p${(count += 1)}`, null, 'refund'], { queues }));
  return routed;
}

async function add(session: string, ...events: [type: string, data: unknown][]): Promise<void> {
  const stream = streamOf('session', session);
  const written = events.map(([type, data]): NewEvent => ({ type, data, actor: 'system', class: 'open' }));
  await log.append({ stream, id: `a-${String(await log.cursor())}x`, expected: 'any', events: written });
}

/** However long it takes on a machine with other work. */
const eventually = (check: () => unknown): Promise<unknown> => vi.waitFor(check, { timeout: 60_000, interval: 5 });

/** Long enough for whatever is due to begin. */
const quiet = (): Promise<void> => sleep(20);

async function reviewedBy(on: Log): Promise<string[]> {
  const dreams = await new Dreamer(on, new MemoryKeeper(on)).list();
  return dreams.flatMap(({ state }) => (state.status === 'completed' ? state.reviewed.sessions.map(({ session_id: id }) => id) : []));
}

describe('a trigger', () => {
  it('dreams after so many finished sessions, and again after as many', async () => {
    const trigger = new Trigger([{ store: 'desk', after: 3 }]);
    await finish(2);
    await quiet();
    expect(trigger.dreamt).toEqual([]);
    await finish(1);
    await eventually(() => expect(trigger.dreamt).toEqual([3]));
    await finish(2);
    await quiet();
    expect(trigger.dreamt).toEqual([3]);
    await finish(1);
    await eventually(() => expect(trigger.dreamt).toEqual([3, 3]));
    await trigger.close();
  });

  it('counts what finished before it ran, and reviews it in one dream', async () => {
    await finish(7);
    const first = new Trigger([{ store: 'desk', after: 3 }]);
    await eventually(() => expect(first.dreamt).toEqual([7]));
    await first.close();
    await finish(2);
    const second = new Trigger([{ store: store, after: 3 }]);
    await quiet();
    expect(second.dreamt).toEqual([]);
    await finish(1);
    await eventually(() => expect(second.dreamt).toEqual([3]));
  });

  it('does not count a session that goes on or waits for a person, and counts one again that has something new', async () => {
    const trigger = new Trigger([{ store: 'desk' }]);
    const [session] = await finish(1);
    await eventually(() => expect(trigger.dreamt).toEqual([1]));
    await add(session!.id, ['user.message', { content: text('And mine?') }]);
    await quiet();
    await add(session!.id, ['session.status_running', {}]);
    await quiet();
    await add(session!.id, ['session.status_idle', { stop_reason: { type: 'requires_action', event_ids: [] }, stop_details: null }]);
    await quiet();
    expect(trigger.dreamt).toEqual([1]);
    await add(session!.id, ['session.status_idle', { stop_reason: { type: 'end_turn' }, stop_details: null }]);
    await eventually(() => expect(trigger.dreamt).toEqual([1, 1]));
    await judgeTicket(log, session!, { right: 'billing', chosen: 'billing' });
    await eventually(() => expect(trigger.dreamt).toEqual([1, 1, 1]));
  });

  it('no longer counts a session that has gone on', async () => {
    const trigger = new Trigger([{ store: 'desk', after: 2 }]);
    const [session] = await finish(1);
    await add(session!.id, ['session.status_running', {}]);
    await finish(1);
    await quiet();
    expect(trigger.dreamt).toEqual([]);
    await finish(1);
    await eventually(() => expect(trigger.dreamt).toEqual([2]));
  });

  it('still counts a session that was asked for more before a dream has reviewed it', async () => {
    const trigger = new Trigger([{ store: 'desk', after: 2 }]);
    const [session] = await finish(1);
    await add(session!.id, ['user.message', { content: text('And mine?') }]);
    await finish(1);
    await eventually(() => expect(trigger.dreamt).toEqual([2]));
  });

  it('sees feedback on a session that finished before it ran', async () => {
    const [session] = await finish(1);
    const first = new Trigger([{ store: 'desk' }]);
    await eventually(() => expect(first.dreamt).toEqual([1]));
    await first.close();
    const second = new Trigger([{ store: 'desk' }]);
    await quiet();
    expect(second.dreamt).toEqual([]);
    await judgeTicket(log, session!, { right: 'technical', chosen: 'billing' });
    await eventually(() => expect(second.dreamt).toEqual([1]));
  });

  it('counts from the dream that a person asked for', async () => {
    const trigger = new Trigger([{ store: 'desk', after: 3 }]);
    await finish(2);
    await new Dreamer(log, new MemoryKeeper(log)).dream({ store: 'desk', thorough: true });
    await finish(2);
    await quiet();
    expect(trigger.dreamt).toEqual([]);
    await finish(1);
    await eventually(() => expect(trigger.dreamt).toEqual([3]));
  });

  it('dreams for each store by its own rule', async () => {
    await new MemoryKeeper(log).create({ name: 'night', description: '', approval: 'auto' }, 'person:ann');
    const rules = [
      { store: 'desk', after: 2 },
      { store: 'night', after: 3 },
    ];
    const first = new Trigger(rules);
    await finish(2);
    await eventually(() => expect(first.news).toMatchObject([{ type: 'dreamt', store: 'desk' }]));
    await first.close();
    const second = new Trigger(rules);
    await quiet();
    expect(second.news).toEqual([]);
    await finish(1);
    await eventually(() => expect(second.news).toMatchObject([{ store: 'night', report: { reviewed: { sessions: 3 } } }]));
  });

  it('dreams on a schedule, when there is anything new', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: Date.UTC(2026, 0, 1) });
    try {
      const trigger = new Trigger([{ store: 'desk', schedule: '*/10 * * * *' }]);
      await quiet();
      await vi.advanceTimersByTimeAsync(3_600_000);
      await finish(2);
      await quiet();
      expect(trigger.news).toEqual([]);
      await vi.advanceTimersByTimeAsync(600_000);
      await quiet();
      expect(trigger.dreamt).toEqual([2]);
      await trigger.close();
      expect(vi.getTimerCount()).toBe(0);
      await finish(1);
      await vi.advanceTimersByTimeAsync(3_600_000);
      await quiet();
      expect(trigger.dreamt).toEqual([2]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('dreams on a schedule or after so many, whichever comes first', async () => {
    const trigger = new Trigger([{ store: 'desk', schedule: '0 0 1 1 *', after: 2 }]);
    await finish(2);
    await eventually(() => expect(trigger.dreamt).toEqual([2]));
  });

  it('once, dreams what is due and ends', async () => {
    await finish(2);
    const none = new Trigger([{ store: 'desk', after: 3 }], { once: true });
    await none.ended;
    expect(none.news).toEqual([]);
    const due = new Trigger([{ store: 'desk', after: 2 }], { once: true });
    await due.ended;
    expect(due.dreamt).toEqual([2]);
  });
});

describe('two triggers', () => {
  it('review no session twice; who is late says so and goes on', async () => {
    const triggers = Array.from({ length: 3 }, () => new Trigger([{ store: 'desk', after: 2 }]));
    const sessions: string[] = [];
    for (let i = 0; i < 20; i += 1) {
      sessions.push(...(await finish(2)).map(({ id }) => id));
      await sleep(i % 3);
    }
    await eventually(async () => expect((await reviewedBy(log)).toSorted()).toEqual(sessions.toSorted()));
    await Promise.all(triggers.map((trigger) => trigger.close()));
    const types = new Set(triggers.flatMap(({ news }) => news.map(({ type }) => type)));
    expect(types).toEqual(new Set(['dreamt', 'claimed_elsewhere']));
  });
});

describe('a dreamer that died', () => {
  it('is waited for as long as it may be alive, and then replaced', async () => {
    let now = 0;
    const clock = atClock(() => now);
    const slow = openMemoryLog({ clock: () => now });
    const memory = new MemoryKeeper(slow);
    const id = await memory.create({ name: 'desk', description: '', approval: 'auto' }, 'person:ann');
    await finish(2, slow);
    const dreamId = new StoreDreams(slow, clock).idOf(id, 1);
    const started = { store_id: id, number: 1, log_id: slow.logId, after: [0], through: [...(await slow.cursor())] };
    const events: NewEvent[] = [{ type: 'dream.started', data: started, actor: 'system', class: 'open' }];
    await slow.append({ stream: streamOf('dream', dreamId), id: 'dead', expected: 0, events });

    const trigger = new Trigger([{ store: 'desk' }], { log: slow, memory, dreamer: new Dreamer(slow, memory, clock) });
    await eventually(() => expect(trigger.news.length).toBeGreaterThan(3));
    expect(new Set(trigger.news.map(({ type }) => type))).toEqual(new Set(['claimed_elsewhere']));
    now += 200_000;
    await eventually(() => expect(trigger.dreamt).toEqual([2]));
  });
});

/** A log on which no dream can begin while `broken` says why. */
function breakable(broken: () => Error | null): Log {
  const append = async (request: AppendRequest): ReturnType<Log['append']> => {
    const error = request.events[0]!.type === 'dream.started' ? broken() : null;
    if (error !== null) throw error;
    return log.append(request);
  };
  return new Proxy(log, {
    get: (target, name) => {
      if (name === 'append') return append;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

const full = (n: number): DreamfoldError => new DreamfoldError('store_full', `The disk is full: ${n}`, { remedy: 'Make room.' });

describe('a dream that fails', () => {
  it('is told and dreamt again', async () => {
    let failures = 0;
    const broken = breakable(() => (failures < 2 ? full((failures += 1)) : null));
    const trigger = new Trigger([{ store: 'desk' }], { log: broken });
    await finish(1);
    await eventually(() => expect(trigger.dreamt).toEqual([1]));
    expect(trigger.news).toMatchObject([{ type: 'failed', failures: 1 }, { type: 'failed', failures: 2 }, { type: 'dreamt' }]);
  });

  it('three times in a row for the same reason ends the trigger with it', async () => {
    let n = 0;
    const trigger = new Trigger([{ store: 'desk' }], { log: breakable(() => full((n += 1))) });
    await finish(1);
    await expect(trigger.ended).rejects.toMatchObject({ code: 'store_full' });
    expect(trigger.news.map(({ type }) => type)).toEqual(['failed', 'failed', 'failed', 'stopped']);
    await finish(3);
    await quiet();
    expect(n).toBe(3);
  });

  it('does not end it where the reasons differ', async () => {
    let n = 0;
    const busy = new DreamfoldError('store_locked', 'The database is busy', { path: '/log.db', remedy: 'Wait.' });
    const broken = breakable(() => (n >= 6 ? null : (n += 1) % 2 === 0 ? busy : full(n)));
    const trigger = new Trigger([{ store: 'desk' }], { log: broken });
    await finish(1);
    await eventually(() => expect(trigger.dreamt).toEqual([1]));
    expect(trigger.news).toHaveLength(7);
  });

  it('is that of a store that is not there, too', async () => {
    const trigger = new Trigger([{ store: 'nobody' }]);
    await finish(1);
    await expect(trigger.ended).rejects.toMatchObject({ code: 'not_found', value: 'nobody' });
  });

  it('leaves the dreams of other stores to their end', async () => {
    const trigger = new Trigger([{ store: 'nobody' }, { store: 'desk' }]);
    await finish(1);
    await expect(trigger.ended).rejects.toMatchObject({ code: 'not_found' });
    expect(trigger.dreamt).toEqual([1]);
  });
});

describe('closing', () => {
  it('before it begins begins nothing', async () => {
    await finish(1);
    let joined = false;
    const share = async (): Promise<{ leave: () => Promise<void> }> => {
      joined = true;
      return { leave: async () => {} };
    };
    const trigger = new Trigger([{ store: 'desk' }], { share, signal: AbortSignal.abort() });
    await trigger.ended;
    expect([joined, trigger.news]).toEqual([false, []]);
  });

  it('waits for the dream under way, and begins no other', async () => {
    let go: (() => void) | undefined;
    const gone = new Promise<void>((resolve) => (go = resolve));
    let begun: (() => void) | undefined;
    const atWork = new Promise<void>((resolve) => (begun = resolve));
    const slow = new Proxy(log, {
      get: (target, name) => {
        if (name === 'append') {
          return async (request: AppendRequest) => {
            begun!();
            await gone;
            return target.append(request);
          };
        }
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    const trigger = new Trigger([{ store: 'desk' }], { log: slow });
    const [first] = await finish(1);
    await atWork;
    let closed = false;
    const closing = trigger.close().then(() => (closed = true));
    await finish(1);
    await quiet();
    expect(closed).toBe(false);
    go!();
    await closing;
    expect(trigger.dreamt).toHaveLength(1);
    expect(await reviewedBy(log)).toContain(first!.id);
  });

  it('does not wait for the next attempt of one that failed', async () => {
    const trigger = new Trigger([{ store: 'nobody' }], { pauseMs: 60_000 });
    await finish(1);
    await eventually(() => expect(trigger.news).toMatchObject([{ type: 'failed' }]));
    await trigger.close();
  });
});

describe('a rule', () => {
  it.each<[rules: unknown, path: string, message: RegExp]>([
    [[], 'dreams', /no store/],
    [[{}], 'dreams/0/store', /expected string/],
    [[{ store: '' }], 'dreams/0/store', /Too small/],
    [[{ store: 'desk', after: 0 }], 'dreams/0/after', /Too small/],
    [[{ store: 'desk', after: 1.5 }], 'dreams/0/after', /expected int/],
    [[{ store: 'desk', every: 1 }], 'dreams/0/every', /there is no "every"/],
    [[{ store: 'desk', afer: 1 }], 'dreams/0/afer', /did you mean "after"/],
    [[{ store: 'desk', schedule: 'daily' }], 'dreams/0/schedule', /"daily" is no schedule/],
    [[{ store: 'desk', schedule: '61 * * * *' }], 'dreams/0/schedule', /Invalid value for minute/],
    [[{ store: 'desk', schedule: '0 0 30 2 *' }], 'dreams/0/schedule', /never come/],
    [[{ store: 'desk', schedule: '2099-01-01T00:00:00' }], 'dreams/0/schedule', /a date and no schedule/],
    [[{ store: 'desk', constitution: ['never'] }], 'dreams/0/constitution/0', /expected a rule/],
    [[{ store: 'desk' }, { store: 'desk', after: 2 }], 'dreams/1/store', /named twice/],
  ])('%j is refused at %s', async (rules, path, message) => {
    const trigger = new Trigger(rules as DreamRule[]);
    const error = await trigger.ended.catch((e: unknown) => e);
    expect(isDreamfoldError(error, 'invalid_argument')).toBe(true);
    expect(error).toMatchObject({ path, message: expect.stringMatching(message) as string });
  });
});
