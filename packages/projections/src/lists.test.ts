import { DEFAULT_CAPS } from '@dreamfold/core';
import { givenAgent, seeded } from '@dreamfold/core/testing';
import { evolveDream, initialDream } from '@dreamfold/dreaming';
import { streamOf, text, type NewEvent } from '@dreamfold/events';
import { openMemoryLog, type Log } from '@dreamfold/log';
import type { Processor } from '@dreamfold/views';
import { beforeEach, describe, expect, test } from 'vitest';
import { Lists } from './lists.ts';
import type { SessionQuery } from './queries.ts';

let log: Log;
let processor: Processor;
let lists: Lists;

function said(type: string, data: unknown): NewEvent {
  return { type, data, class: 'open', actor: 'user' };
}

async function append(stream: string, events: readonly NewEvent[], time = 0): Promise<void> {
  const { seq } = await log.head(stream);
  await log.append({ stream, id: `a${seq}`, expected: seq, events, time });
}

interface Begun {
  title?: string;
  principal?: string;
  agent?: string;
  time?: number;
}

async function begin(id: string, { title = id, principal = 'ann', agent = 'desk', time = 0 }: Begun, ...events: NewEvent[]): Promise<void> {
  const team = { lead: agent, agents: [givenAgent(agent)] };
  await append(
    streamOf('session', id),
    [said('session.created', { title, principal, team, caps: DEFAULT_CAPS, memory: [] }), ...events],
    time,
  );
}

const idle = said('session.status_idle', { stop_reason: { type: 'end_turn' }, stop_details: null });
const running = said('session.status_running', {});
const asked = said('user.message', { content: text('Go.') });
const claimed = { ...said('session.claimed', { nonce: 'n' }), class: 'claim' } as const;

async function ids(query: SessionQuery = {}): Promise<string> {
  const { rows, total } = await lists.sessions(query);
  if (query.limit === undefined) expect(total).toBe(rows.length);
  return rows.map(({ id }) => id).join(' ');
}

beforeEach(() => {
  log = openMemoryLog();
  processor = 'unknown';
  lists = new Lists({ log, processor: () => processor });
});

describe('sessions', () => {
  test('are found by what is known of them', async () => {
    await begin('a', { title: 'A REFUND', time: 10 }, idle);
    await begin('b', { principal: 'ben', time: 20 });
    await begin('c', { agent: 'shop', time: 30 }, running);
    expect(await ids()).toBe('c b a');
    expect(await ids({ order: 'oldest' })).toBe('a b c');
    expect(await ids({ title: 'refund' })).toBe('a');
    expect(await ids({ principal: 'ben' })).toBe('b');
    expect(await ids({ agent: 'desk' })).toBe('b a');
    expect(await ids({ agent: 'desk', principal: 'ann' })).toBe('a');
    expect(await ids({ status: 'end_turn' })).toBe('a');
    expect(await ids({ since: 20 })).toBe('c b');
    expect(await ids({ since: 10, until: new Date(30) })).toBe('b a');
    expect(await ids({ outcome: 'satisfied' })).toBe('');
    expect(await lists.sessions({ limit: 0, agent: 'desk' })).toEqual({ rows: [], total: 2, next: null });
  });

  test('come by page, while others are begun', async () => {
    for (const id of ['a', 'b', 'c', 'd']) await begin(id, {});
    const first = await lists.sessions({ limit: 2 });
    expect(first).toMatchObject({ rows: [{ id: 'd' }, { id: 'c' }], total: 4, next: 'c' });
    await begin('e', {});
    const second = await lists.sessions({ limit: 2, after: first.next! });
    expect(second).toMatchObject({ rows: [{ id: 'b' }, { id: 'a' }], total: 5, next: null });
    const { rows } = await lists.sessions({ order: 'oldest', after: 'b' });
    expect(rows.map(({ id }) => id)).toEqual(['c', 'd', 'e']);
  });

  test('are unattended by what runs sessions when they are listed', async () => {
    await begin('idle', {}, idle);
    await begin('asked', {}, idle, asked);
    const stream = streamOf('session', 'held');
    await begin('held', {});
    await log.append({ stream, id: 'c', expected: 1, epoch: 1, events: [claimed], time: 100 });
    await append(stream, [running], 100);
    const byStatus = async (): Promise<string[]> => [
      await ids({ status: 'unattended' }),
      await ids({ status: 'running' }),
      await ids({ status: 'end_turn' }),
    ];
    expect(await byStatus()).toEqual(['', 'held', 'asked idle']);
    processor = null;
    expect(await byStatus()).toEqual(['held asked', '', 'idle']);
    processor = { since: 50 };
    expect(await byStatus()).toEqual(['', 'held', 'asked idle']);
    processor = { since: 200 };
    expect(await byStatus()).toEqual(['held', '', 'asked idle']);
    for (const { id, status } of (await lists.sessions()).rows) expect(await ids({ status })).toContain(id);
  });

  test.each([
    [{ status: 'asleep' }, 'status'],
    [{ limit: -1 }, 'limit'],
    [{ limit: 1.5 }, 'limit'],
    [{ since: new Date('never') }, 'since'],
    [{ titel: 'a' }, 'titel'],
  ])('cannot be asked for by %j', async (query, path) => {
    await expect(lists.sessions(query as SessionQuery)).rejects.toMatchObject({
      code: 'invalid_argument',
      path,
      remedy: expect.any(String),
    });
  });

  test('have no page after what is not in the list', async () => {
    await begin('ab', {});
    await expect(lists.sessions({ after: 'a' })).rejects.toMatchObject({ code: 'not_found', path: 'after', value: 'a' });
  });
});

test('a list tells how far it has folded what is new', async () => {
  for (let i = 0; i < 5000; i += 1) await append('session/long', [asked]);
  const told: [number, number][] = [];
  await lists.sessions({ onProgress: (done, total) => told.push([done, total]) });
  expect(told.length).toBeGreaterThan(1);
  expect(told.at(-1)).toEqual([5001, 5001]);
});

test('the row of a dream is that of the whole dream', async () => {
  const random = seeded(3);
  const insight = (id: string) => ({ kind: 'note', id, path: '/a.md', content: 'So.' });
  const gates = [{ gate: 'quorum', pass: false, reason: 'one session' }];
  const events = [
    said('dream.started', { store_id: 'memstore_1', number: 1, log_id: 'log_1', after: [0], through: [9] }),
    said('dream.reviewed', { sessions: [{ session_id: 'sesn_1', through_seq: 9 }], decisions: 2, labelled: 1 }),
    ...['i1', 'i2'].map((id) =>
      said('dream.insight_proposed', {
        insight_id: id,
        content: { insight: insight(id), reason: 'r', evidence: ['session/sesn_1#4'] },
        change: 'add',
        tier: 'untrusted',
      }),
    ),
    said('dream.insight_rejected', { insight_id: 'i1', gates }),
    said('dream.completed', { patch_ids: ['p1'], insights: 1, rejected: 1 }),
    said('dream.failed', { error: { type: 'store_full', message: 'no room' } }),
  ];
  for (let n = 0; n < 40; n += 1) {
    const stream = streamOf('dream', `drm_${n}`);
    await append(stream, [events[n % 2]!, ...Array.from({ length: 8 }, () => events[Math.floor(random() * events.length)]!)]);
    let state = initialDream;
    for await (const batch of log.read(stream)) state = batch.reduce(evolveDream, state);
    const { rows } = await lists.dreams({ limit: 1 });
    expect(rows).toEqual([
      {
        id: `drm_${n}`,
        store: state.started?.store_id ?? null,
        status: state.status,
        sessions: state.reviewed.sessions.length,
        insights: state.insights.length,
        rejected: state.insights.filter(({ rejected }) => rejected !== null).length,
        patchIds: state.patchIds,
      },
    ]);
  }
  expect((await lists.findDreams('drm_1', 20)).map(({ id }) => id)).toHaveLength(11);
});
