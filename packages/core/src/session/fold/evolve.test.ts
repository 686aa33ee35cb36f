import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CATALOGUE, isEventType, type LogEvent } from '@dreamfold/events';
import { GivenSession, givenAgent, givenCriterion, givenTool, type GivenPart } from '../../testing/given-session.ts';
import { interrupt, judge, sendMessage, skipEvent } from '../commands/commands.ts';
import { confirmTool } from '../commands/confirm-tool.ts';
import { awaitedEvents, decideSession, openWork, unjudged } from '../decide.ts';
import { evolveSession } from './evolve.ts';
import { attemptFailed } from '../attempts.ts';
import { graded } from '../grading.ts';
import { recovered } from '../recovery.ts';
import { restAfter } from '../rest.ts';
import { initialSession, NO_USAGE, type SessionState } from './state.ts';

const fold = (events: readonly LogEvent[]): SessionState => events.reduce(evolveSession, initialSession('sesn_given'));

const goldenDirectory = join(import.meta.dirname, '../../../../events/golden');
const golden = readdirSync(goldenDirectory)
  .filter((name) => name.includes('@'))
  .map((name) => JSON.parse(readFileSync(join(goldenDirectory, name), 'utf8')) as { type: string; data: string })
  .map(({ type, data }) => ({ type, data: JSON.parse(data) as Record<string, unknown> }));

/** What a session may be told next. Each choice is taken from what is possible at the time. */
const step = fc.record({
  what: fc.constantFrom(
    'answer',
    'answer',
    'answer',
    'finish',
    'finish',
    'fail',
    'confirm',
    'judge',
    'grade',
    'send',
    'interrupt',
    'restart',
    'nonsense',
  ),
  pick: fc.nat(7),
  yes: fc.boolean(),
  event: fc.constantFrom(...golden),
  mess: fc.option(fc.jsonValue({ maxDepth: 2 }), { nil: undefined }),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const ask = (agent: string): GivenPart => ({ tool: 'delegate', input: { agent, message: 'Help.' } });
const ANSWERS: readonly (readonly GivenPart[])[] = [
  ['Done.'],
  [{ tool: 'look', input: { at: 1 } }],
  [{ tool: 'look' }, { tool: 'pay' }],
  [ask('left'), ask('right')],
  [ask('left'), { tool: 'pay' }],
  [{ tool: 'nothing' }],
  ['Well.', ask('nobody')],
  [],
];

function begin(): GivenSession {
  const tools = [givenTool('look'), givenTool('pay', { policy: 'always_ask', effect: 'unsafe' })];
  return new GivenSession('Begin.', {
    agents: [
      givenAgent('lead', { tools, roster: ['left', 'right'] }),
      givenAgent('left', { tools, roster: ['right'] }),
      givenAgent('right', { tools }),
    ],
    criteria: [givenCriterion('good'), givenCriterion('taste', { grader: { kind: 'person' } })],
    caps: { turns: 30 },
  });
}

function take(session: GivenSession, { what, pick, yes, event, mess }: Step): void {
  const work = session.work[pick % Math.max(1, session.work.length)];
  const { state } = session;
  switch (what) {
    case 'answer': {
      const thread = state.threads.filter((t) => t.request !== null)[pick % 3];
      const stopReason = pick === 6 ? 'refusal' : pick === 7 ? 'max_tokens' : 'tool_use';
      if (thread !== undefined) session.answers(thread.id, ANSWERS[pick]!, yes ? {} : { stopReason });
      return;
    }
    case 'finish':
      if (work?.kind === 'tool') session.finishes(work.name, 'seen');
      return;
    case 'fail':
      if (work?.kind === 'model')
        session.when((now) => attemptFailed(now, { ...work, code: 'model_timeout', message: 'slow', retryAfterMs: yes ? 10 : null }));
      return;
    case 'confirm': {
      const call = state.threads.flatMap((t) => t.calls).find((c) => c.status === 'asked');
      if (call !== undefined) session.when((now) => confirmTool(now, { toolUseId: call.id, result: yes ? 'allow' : 'deny', by: 'bob' }));
      return;
    }
    case 'judge':
      if (unjudged(state).length > 0) session.when((now) => judge(now, { criterion: 'taste', score: pick / 7, reason: 'So.', by: 'ann' }));
      return;
    case 'grade':
      if (work?.kind === 'grade') {
        const scores = [{ id: 'good', score: pick / 7, reason: 'So.', grader: 'code:good' }];
        session.when((now) =>
          graded(now, { evaluationId: work.evaluationId, scores, usage: NO_USAGE, costUsd: 0, ...(yes ? {} : { failure: 'no' }) }),
        );
      }
      return;
    case 'send':
      if (state.capReached === null) session.when((now) => sendMessage(now, 'More.'));
      return;
    case 'interrupt':
      session.when((now) => interrupt(now, yes ? undefined : now.threads[pick % now.threads.length]!.id));
      return;
    case 'restart':
      session.when(recovered);
      return;
    case 'nonsense': {
      // A payload that its schema allows, with ids that mean nothing or something else here; or one that it does not allow.
      const ids = [...session.events.map(({ id }) => id), ...state.threads.map(({ id }) => id), 'sevt_nothing'];
      const data =
        mess === undefined
          ? Object.fromEntries(
              Object.entries(event.data).map(([k, v]) => [
                k,
                k.endsWith('id') && typeof v === 'string' ? ids[(pick * 31) % ids.length] : v,
              ]),
            )
          : mess;
      const strange: LogEvent = {
        ...session.events.at(-1)!,
        seq: session.events.length + 1,
        id: `sevt_strange_${session.events.length}`,
        type: event.type,
        v: 1,
        actor: ids[(pick * 17) % ids.length]!,
        data,
      };
      const next = evolveSession(state, strange);
      expect(next.seq).toBe(strange.seq);
      decideSession(next, session.context);
      openWork(next);
      awaitedEvents(next);
    }
  }
}

/** What a model would refuse: a call without its result in the very next message. */
function brokenTurns(session: GivenSession): string[] {
  return session.state.threads.flatMap((thread) => {
    const messages = [...thread.messages, ...(thread.pending.length > 0 ? [{ role: 'user', content: thread.pending }] : [])];
    return messages.flatMap(({ content }, i) => {
      const calls = content.flatMap((block) => (block.type === 'tool_use' ? [block.id] : []));
      const results = (messages[i + 1]?.content ?? []).flatMap((block) => (block.type === 'tool_result' ? [block.tool_use_id] : []));
      const open = i === messages.length - 1 && thread.calls.some((call) => call.status !== 'closed');
      return open || calls.join() === results.join() ? [] : [`${thread.agent} ${i}: ${calls.join()} / ${results.join()}`];
    });
  });
}

describe('evolve', () => {
  test('never throws, and the same events lead to the same state', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const session = begin();
        for (const next of steps) take(session, next);
        expect(fold(session.events)).toEqual(session.state);
        expect(brokenTurns(session)).toEqual([]);
        // Nothing is left to decide, and what does not run waits for somebody.
        expect(decideSession(session.state, session.context)).toEqual([]);
        expect(session.state.status === 'running').toBe(session.work.length > 0);
      }),
      { numRuns: 2000 },
    );
  });

  test('an older state is never changed by what comes after it', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.nat(), (steps, at) => {
        const session = begin();
        for (const next of steps) take(session, next);
        const middle = at % session.events.length;
        const before = fold(session.events.slice(0, middle));
        const seen = JSON.stringify(before);
        session.events.slice(middle).reduce(evolveSession, before);
        expect(JSON.stringify(before)).toBe(seen);
      }),
      { numRuns: 100 },
    );
  });

  test('ignores a payload that does not fit its type, whatever it is', () => {
    const { state, events } = begin();
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(CATALOGUE)), fc.anything({ maxDepth: 2 }), (type, data) => {
        const next = evolveSession(state, { ...events.at(-1)!, seq: state.seq + 1, type, data });
        expect(next.seq).toBe(state.seq + 1);
      }),
      { numRuns: 2000 },
    );
  });

  test('counts every golden event, on any state', () => {
    for (const { type, data } of golden) {
      expect(isEventType(type)).toBe(true);
      for (const state of [initialSession('sesn_given'), begin().state]) {
        const event = { ...begin().events.at(-1)!, seq: state.seq + 1, type, v: 1, data };
        expect(evolveSession(state, event).seq).toBe(state.seq + 1);
      }
    }
  });

  test('of a newer type or version suspends the session: it is read, and not run', () => {
    for (const newer of [
      { type: 'agent.dreamt', v: 1 },
      { type: 'user.message', v: 3 },
    ]) {
      const session = begin();
      const event = { ...session.events.at(-1)!, seq: session.events.length + 1, ...newer, data: {} };
      const state = evolveSession(session.state, event);
      expect(state.suspended).toEqual({ id: event.id, seq: event.seq, ...newer });
      expect(decideSession(state, session.context)).toEqual([]);
      expect(openWork(state)).toEqual([]);
      expect(recovered(state)).toEqual([]);
      expect(() => sendMessage(state, 'More.')).toThrow('newer than this Dreamfold');
    }
  });

  test('goes on when a person has passed over all that is newer', () => {
    const session = begin();
    const newer = (id: string, past: number): LogEvent => ({
      ...session.events.at(-1)!,
      ...{ id, seq: session.events.length + past, type: 'agent.dreamt', v: 1, data: {} },
    });
    const skipped = (event: string): LogEvent => ({
      ...newer('skip', 3),
      type: 'session.event_skipped',
      data: { event, reason: 'Forged.', by: 'ann' },
    });
    const state = [newer('x', 1), newer('y', 2)].reduce(evolveSession, session.state);
    expect(() => skipEvent(state, { event: 'other', reason: 'Forged.', by: 'ann' })).toThrow('not suspended by other');
    const [event] = skipEvent(state, { event: 'y', reason: 'Forged.', by: 'ann' });
    expect(event).toMatchObject({ type: 'session.event_skipped', actor: 'person:ann', class: 'open', data: { event: 'y' } });
    expect(restAfter(skipped('y'))).toBe('asked');
    const half = evolveSession(state, skipped('y'));
    expect([half.suspended?.id, half.alsoNewer]).toEqual(['x', []]);
    expect(decideSession(half, session.context)).toEqual([]);
    const whole = evolveSession(half, skipped('x'));
    expect(whole.suspended).toBeNull();
    expect(decideSession(whole, session.context)).toEqual(decideSession(session.state, session.context));
    expect(sendMessage(whole, 'More.')).toHaveLength(1);
  });

  test('an erased payload passes', () => {
    const session = begin();
    for (let i = 0; i < session.events.length; i += 1) {
      const events = session.events.map((event, n) => (n === i ? { ...event, data: null } : event));
      expect(fold(events).seq).toBe(events.length);
    }
  });
});

test('a thread that is told of twice stands once', () => {
  const agents = [givenAgent('lead', { roster: ['clerk'] }), givenAgent('clerk')];
  const session = new GivenSession('Begin.', { agents });
  session.answers('lead', ask('clerk'));
  const created = session.events.find(({ type }) => type === 'session.thread_created')!;
  const again = evolveSession(session.state, { ...created, seq: session.state.seq + 1 });
  expect(again.threads).toEqual(session.state.threads);
});
