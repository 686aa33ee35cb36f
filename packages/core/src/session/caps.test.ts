import { describe, expect, test } from 'vitest';
import { GivenSession, givenAgent, givenCriterion, givenTool } from '../testing/given-session.ts';
import { sendMessage } from './commands/commands.ts';
import { attemptFailed, graderAttemptFailed, type AttemptFailure } from './attempts.ts';
import { deadlineOf } from './caps.ts';
import { decideSession } from './decide.ts';
import { modelAnswered } from './answer.ts';

const look = givenTool('look');
const lead = givenAgent('lead', { tools: [look], roster: ['helper'] });
const helper = givenAgent('helper', { tools: [look], roster: ['helper2'] });
const helper2 = givenAgent('helper2', { tools: [look] });
const agents = [lead, helper, helper2];
const usage = { input_tokens: 60, output_tokens: 40, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
const delegate = (agent: string): { tool: string; input: unknown } => ({ tool: 'delegate', input: { agent, message: 'Help.' } });
const codes = (session: GivenSession): unknown[] => session.dataOf('agent.tool_result').map((result) => result['df_code']);

/** A model that never stops: each answer is another call. */
function runAway(session: GivenSession, { ms = 0, costUsd = 0 } = {}): { modelCalls: number; toolCalls: number } {
  let toolCalls = 0;
  for (let i = 0; i < 100 && session.state.status === 'running'; i += 1) {
    session.now += ms;
    session.answers('lead', { tool: 'look', input: { at: i } }, { usage, costUsd });
    if (session.underWay[0] !== 'tool lead look') break;
    toolCalls += 1;
    session.finishes('look', 'seen');
  }
  return { modelCalls: session.dataOf('span.model_request_start').length, toolCalls };
}

describe('a model that never stops', () => {
  test.each([
    ['turns', { turns: 5 }, {}, 5],
    ['tokens', { tokens: 500 }, {}, 5],
    ['tokens', { tokens: 401 }, {}, 5],
    ['cost_usd', { cost_usd: 1.5 }, { costUsd: 0.5 }, 3],
    ['wall_time_ms', { wall_time_ms: 4000 }, { ms: 1000 }, 4],
    ['tool_calls', { tool_calls: 7 }, {}, 8],
  ])('stops at its cap %s: no call more', (...[cap, caps, spend, calls]) => {
    const session = new GivenSession('Begin.', { agents, caps });
    const { modelCalls, toolCalls } = runAway(session, spend);
    expect(modelCalls).toBe(calls);
    if (cap === 'tool_calls') expect(toolCalls).toBe(7);
    expect(session.work).toEqual([]);
    expect(session.state).toMatchObject({ status: 'idle', stopReason: { type: 'budget_reached' }, capReached: { cap } });
    expect(session.dataOf('cap.reached')).toHaveLength(1);
    expect(() => sendMessage(session.state, 'More.')).toThrow('reached its cap');
    // A message that another process wrote starts nothing either.
    const message = { type: 'user.message', class: 'open', actor: 'user', data: { content: [{ type: 'text', text: 'More.' }] } } as const;
    expect(session.when(() => [message])).toEqual(['user.message']);
    expect(decideSession(session.state, session.context)).toEqual([]);
  });

  test('counts the time that it runs, not the time that it waits for a person', () => {
    const pay = givenTool('pay', { policy: 'always_ask' });
    const session = new GivenSession('Begin.', { agents: [givenAgent('lead', { tools: [pay] })], caps: { wall_time_ms: 5000 } });
    session.now += 4000;
    session.answers('lead', { tool: 'pay' });
    session.now += 1_000_000;
    session.when((state) => [
      {
        type: 'user.tool_confirmation',
        class: 'open',
        actor: 'user',
        data: { result: 'allow', tool_use_id: state.threads[0]!.calls[0]!.id },
      },
    ]);
    session.now += 500;
    session.finishes('pay', 'paid');
    expect(session.state.capReached).toBeNull();
    session.now += 500;
    session.answers('lead', { tool: 'look' });
    expect(session.state.capReached).toMatchObject({ cap: 'wall_time_ms', value: 5000 });
  });

  test('stops while the model is asked, and the specialists with it', () => {
    const both = givenAgent('lead', { roster: ['helper', 'helper2'] });
    const session = new GivenSession('Begin.', { agents: [both, helper, helper2], caps: { wall_time_ms: 5000 } });
    session.answers('lead', [delegate('helper'), delegate('helper2')]);
    session.now += 5000;
    for (const name of ['helper', 'helper2']) {
      const { id, request } = session.thread(name);
      const cap = { cap: 'wall_time_ms', limit: 5000, value: 5000 } as const;
      const failure = {
        threadId: id,
        startId: request!.startId,
        attempt: 1,
        code: 'budget_exceeded',
        message: 'late',
        retryAfterMs: null,
        cap,
      };
      session.when((state) => attemptFailed(state, failure));
    }
    expect(session.state).toMatchObject({ status: 'idle', stopReason: { type: 'budget_reached' }, error: null });
    expect(session.dataOf('cap.reached')).toEqual([{ cap: 'wall_time_ms', limit: 5000, value: 5000 }]);
    expect(session.dataOf('agent.thread_message_received').map((report) => report['df_is_error'])).toEqual([true, true]);
  });

  test('loses none of its time to a process that died', () => {
    const session = new GivenSession('Begin.', { agents, caps: { wall_time_ms: 5000 } });
    session.now += 1000;
    session.answers('lead', { tool: 'look' });
    session.now += 1_000_000;
    session.when(() => [{ type: 'session.claimed', class: 'claim', actor: 'system', data: { nonce: 'n2' } }]);
    expect(deadlineOf(session.state)).toBe(session.now + 4000);
    session.now += 3999;
    session.finishes('look', 'seen');
    expect(session.state.capReached).toBeNull();
    session.now += 1;
    session.answers('lead', { tool: 'look' });
    session.finishes('look', 'seen');
    expect(session.state.capReached).toMatchObject({ cap: 'wall_time_ms', value: 5000 });
  });

  test('of a clock that jumps back has no negative time', () => {
    const session = new GivenSession('Begin.', { agents, caps: { wall_time_ms: 5000 } });
    session.now -= 900;
    session.answers('lead', 'Done.');
    expect(session.state.activeMs).toBe(0);
  });
});

describe('an attempt that failed after it was paid', () => {
  const fail = (session: GivenSession, failure: Partial<AttemptFailure>): string[] => {
    const { id, request } = session.thread('lead');
    const { startId, attempt } = request!;
    return session.when((state) =>
      attemptFailed(state, {
        threadId: id,
        startId,
        attempt,
        code: 'model_protocol_error',
        message: 'torn',
        retryAfterMs: 500,
        ...failure,
      }),
    );
  };

  test('counts with what it used, and what it cost', () => {
    const session = new GivenSession('Begin.', { agents });
    fail(session, { spent: { usage, costUsd: 0.25 } });
    fail(session, {});
    expect(session.state.usage).toMatchObject({ ...usage, costUsd: 0.25, modelCalls: 1 });
    session.answers('lead', 'Done.', { usage, costUsd: 0.5 });
    expect(session.state.usage).toMatchObject({ input_tokens: 120, output_tokens: 80, costUsd: 0.75 });
    expect(session.dataOf('session.usage').at(-1)).toMatchObject({ usage: { input_tokens: 120 }, df_cost_usd: 0.75 });
  });

  test('without a price makes the cost unknown', () => {
    const session = new GivenSession('Begin.', { agents });
    fail(session, { spent: { usage, costUsd: null } });
    expect(session.state.usage.costUsd).toBeNull();
  });

  test.each([
    ['tokens', { tokens: 150 }],
    ['cost_usd', { cost_usd: 0.5 }],
  ])('is not made again once the cap %s is reached', (cap, caps) => {
    const session = new GivenSession('Begin.', { agents, caps });
    fail(session, { spent: { usage, costUsd: 0.25 } });
    expect(session.underWay).toEqual(['model lead']);
    fail(session, { spent: { usage, costUsd: 0.25 } });
    expect(session.work).toEqual([]);
    expect(session.state).toMatchObject({ stopReason: { type: 'budget_reached' }, capReached: { cap }, error: null });
    expect(session.dataOf('model.attempt_failed').map(({ retry_after_ms }) => retry_after_ms)).toEqual([500, null]);
  });

  test('counts when nobody waits for it any more, and so does a late answer', () => {
    const session = new GivenSession('Begin.', { agents });
    const { id: threadId, request } = session.thread('lead');
    const { startId } = request!;
    session.when(() => [{ type: 'user.interrupt', class: 'open', actor: 'user', data: {} }]);
    const spent = { usage, costUsd: 0.25 };
    session.when((state) =>
      attemptFailed(state, { threadId, startId, attempt: 1, code: 'model_overloaded', message: 'busy', retryAfterMs: 500, spent }),
    );
    const answer = { content: [], stopReason: 'end_turn', ...spent } as const;
    session.when((state, appendId) => modelAnswered(state, { threadId, startId, answer, appendId }, session.context));
    expect(session.state.usage).toMatchObject({ input_tokens: 120, costUsd: 0.5 });
    expect(session.state.status).toBe('idle');
  });
});

describe('caps of the whole tree', () => {
  test('what a child uses counts for its parents', () => {
    const session = new GivenSession('Begin.', { agents, caps: { turns: 3 } });
    session.answers('lead', delegate('helper'));
    session.answers('helper', delegate('helper2'));
    session.answers('helper2', 'found');
    expect(session.work).toEqual([]);
    expect(session.state.stopReason).toEqual({ type: 'budget_reached' });
    const reports = session.dataOf('agent.thread_message_received');
    expect(reports.map((report) => report['df_is_error'] ?? false)).toEqual([false, true]);
  });

  test('depth: a delegation that is too deep fails alone', () => {
    const session = new GivenSession('Begin.', { agents, caps: { depth: 1 } });
    session.answers('lead', delegate('helper'));
    session.answers('helper', delegate('helper2'));
    expect(codes(session)).toEqual(['budget_exceeded']);
    expect(session.underWay).toEqual(['model helper']);
    expect(session.state.capReached).toBeNull();
    expect(session.dataOf('cap.reached')).toMatchObject([{ cap: 'depth', limit: 1, value: 2 }]);
  });

  test('threads: counts those that run, in one answer too', () => {
    const session = new GivenSession('Begin.', { agents, caps: { threads: 3 } });
    session.answers(
      'lead',
      [delegate('helper'), delegate('helper'), delegate('helper')].map((call, i) => ({
        ...call,
        input: { agent: 'helper', message: `Help ${i}.` },
      })),
    );
    expect(codes(session)).toEqual(['budget_exceeded']);
    expect(session.underWay).toEqual(['model helper', 'model helper']);
  });

  test('tool_calls: counts those of one answer', () => {
    const session = new GivenSession('Begin.', { agents, caps: { tool_calls: 2 } });
    session.answers(
      'lead',
      [1, 2, 3].map((at) => ({ tool: 'look', input: { at } })),
    );
    expect(session.underWay).toEqual(['tool lead look', 'tool lead look']);
    session.finishes('look', '');
    session.finishes('look', '');
    expect(session.state.stopReason).toEqual({ type: 'budget_reached' });
  });

  test('identical_calls: over turns, and in one answer', () => {
    const same = { tool: 'look', input: { at: 'the same' } };
    const session = new GivenSession('Begin.', { agents, caps: { identical_calls: 2 } });
    session.answers('lead', [same, same, same]);
    expect(session.underWay).toEqual(['tool lead look', 'tool lead look']);
    expect(codes(session)).toEqual(['budget_exceeded']);
    session.finishes('look', '');
    session.finishes('look', '');
    session.answers('lead', [same, { tool: 'look', input: { at: 'another' } }]);
    expect(session.underWay).toEqual(['tool lead look']);
    expect(session.state.capReached).toBeNull();
  });

  test('a call that waits for a person does not start once a cap is reached', () => {
    const pay = givenTool('pay', { policy: 'always_ask' });
    const session = new GivenSession('Begin.', {
      agents: [
        givenAgent('lead', { roster: ['helper', 'payer'] }),
        givenAgent('helper', { tools: [look] }),
        givenAgent('payer', { tools: [pay] }),
      ],
      caps: { turns: 3 },
    });
    session.answers('lead', [delegate('payer'), delegate('helper')]);
    session.answers('payer', { tool: 'pay' });
    session.answers('helper', { tool: 'look' });
    session.finishes('look', 'seen');
    expect(codes(session)).toContain('budget_exceeded');
    expect(session.work).toEqual([]);
    expect(session.state).toMatchObject({ status: 'idle', stopReason: { type: 'budget_reached' } });
  });
});

describe('an outcome and the caps', () => {
  const judged = givenCriterion('good', { grader: { kind: 'model', model: 'm' } });

  test('a model grader is not asked when a cap is reached; the turns of agents do not count for it', () => {
    const spent = new GivenSession('Begin.', { agents, criteria: [judged], caps: { tokens: 100 } });
    spent.answers('lead', 'Done.', { usage });
    expect(spent.work).toEqual([]);
    expect(spent.state).toMatchObject({ stopReason: { type: 'budget_reached' }, outcome: { result: 'failed' } });
    expect(spent.dataOf('span.outcome_evaluation_end').at(-1)).toMatchObject({
      explanation: 'The cap tokens = 100 was reached (at 100); 0 of 3 attempts were graded.',
    });
    const turns = new GivenSession('Begin.', { agents, criteria: [judged], caps: { turns: 1 } });
    turns.answers('lead', 'Done.', { usage });
    expect(turns.underWay).toEqual(['grade']);
  });

  test('a grader is not asked again when what it used leaves no room', () => {
    const session = new GivenSession('Begin.', { agents, criteria: [judged], caps: { tokens: 150 } });
    session.answers('lead', 'Done.', { usage });
    const { evaluationId } = session.state.outcome!;
    const failure = { evaluationId: evaluationId!, code: 'model_protocol_error', message: 'torn', retryAfterMs: 500 };
    session.when((state) => graderAttemptFailed(state, { ...failure, attempt: 1 }));
    expect(session.underWay).toEqual(['grade']);
    session.when((state) => graderAttemptFailed(state, { ...failure, attempt: 2, spent: { usage, costUsd: 0 } }));
    expect(session.work).toEqual([]);
    expect(session.state).toMatchObject({
      stopReason: { type: 'budget_reached' },
      capReached: { cap: 'tokens', value: 200 },
      outcome: { status: 'done', result: 'failed' },
    });
  });

  test('code judges an answer that is there, cap or no cap', () => {
    const session = new GivenSession('Begin.', { agents, criteria: [givenCriterion('good')], caps: { tokens: 100, turns: 1 } });
    session.answers('lead', 'Done.', { usage });
    expect(session.underWay).toEqual(['grade']);
  });
});
