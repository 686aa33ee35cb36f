import { describe, expect, test } from 'vitest';
import { GivenSession, givenAgent, givenTool, type GivenTeam } from '../testing/given-session.ts';
import { interrupt, sendMessage } from './commands/commands.ts';
import { confirmTool } from './commands/confirm-tool.ts';
import { awaitedEvents } from './decide.ts';
import { attemptFailed } from './attempts.ts';
import { recovered } from './recovery.ts';

const look = givenTool('look');
const pay = givenTool('pay', { policy: 'always_ask', effect: 'unsafe' });
const solo: GivenTeam = { agents: [givenAgent('lead', { tools: [look, pay] })] };
const team: GivenTeam = {
  agents: [
    givenAgent('lead', { roster: ['left', 'right'], tools: [pay] }),
    givenAgent('left', { tools: [look] }),
    givenAgent('right', { tools: [look] }),
  ],
};
const ask = (agent: string): { tool: string; input: unknown } => ({ tool: 'delegate', input: { agent, message: `task of ${agent}` } });
const lastResult = (session: GivenSession): Record<string, unknown> => session.dataOf('agent.tool_result').at(-1)!;
const fail = (session: GivenSession, agent: string, code: string): string[] =>
  session.when((state) => {
    const { id, request } = session.thread(agent);
    return attemptFailed(state, {
      threadId: id,
      startId: request!.startId,
      attempt: request!.attempt,
      code,
      message: code,
      retryAfterMs: null,
    });
  });

describe('a session of one agent', () => {
  test('asks the model, runs its calls, gives it the results, and ends with its words', () => {
    const session = new GivenSession('Begin.', solo);
    expect(session.events.map((event) => event.type).slice(3)).toEqual([
      'session.status_running',
      'session.thread_status_running',
      'message.taken_up',
      'span.model_request_start',
    ]);
    expect(session.answers('lead', ['Let me look.', { tool: 'look', input: { at: 1 } }, { tool: 'look', input: { at: 2 } }])).toEqual([
      'agent.message',
      'agent.tool_use',
      'agent.tool_use',
      'span.model_request_end',
    ]);
    expect(session.underWay).toEqual(['tool lead look', 'tool lead look']);
    expect(session.finishes('look', 'one')).toEqual(['agent.tool_result']);
    expect(session.finishes('look', 'two')).toEqual(['agent.tool_result', 'span.model_request_start']);
    const results = session.thread('lead').messages.at(-1)!.content;
    expect(results).toMatchObject([
      { type: 'tool_result', content: 'one', is_error: false },
      { type: 'tool_result', content: 'two', is_error: false },
    ]);
    expect(session.answers('lead', 'Done.').slice(-3)).toEqual(['session.thread_status_idle', 'session.usage', 'session.status_idle']);
    expect(session.state).toMatchObject({ status: 'idle', stopReason: { type: 'end_turn' } });
    expect(session.work).toEqual([]);
  });

  test('results stand in the order of the calls, whichever came first', () => {
    const session = new GivenSession('Begin.', { agents: [givenAgent('lead', { tools: [look, givenTool('read')] })] });
    session.answers('lead', [{ tool: 'look' }, { tool: 'read' }]);
    session.finishes('read', 'second');
    session.finishes('look', 'first');
    expect(session.thread('lead').messages.at(-1)!.content).toMatchObject([{ content: 'first' }, { content: 'second' }]);
  });

  test.each([
    ['nope', {}, 'unknown_tool', 'look, pay'],
    ['delegate', {}, 'unknown_tool', 'look, pay'],
    ['never', {}, 'unknown_tool', 'There is no tool "never"'],
  ])('a call of %s is closed with the reason', (...[tool, input, code, words]) => {
    const session = new GivenSession('Begin.', solo);
    expect(session.answers('lead', { tool, input }).at(-1)).toBe('span.model_request_start');
    expect(lastResult(session)).toMatchObject({ is_error: true, df_code: code });
    expect(JSON.stringify(lastResult(session)['content'])).toContain(words.replaceAll('"', '\\"'));
  });

  test('a call that is refused and one that runs, in one answer, have one result each, in order', () => {
    for (const parts of [
      [{ tool: 'nope' }, { tool: 'look' }],
      [{ tool: 'look' }, { tool: 'nope' }],
    ]) {
      const session = new GivenSession('Begin.', solo);
      session.answers('lead', parts);
      expect(session.thread('lead').pending).toEqual([]);
      session.finishes('look', 'seen');
      const calls = session
        .thread('lead')
        .messages.at(-2)!
        .content.flatMap((block) => (block.type === 'tool_use' ? [block.id] : []));
      const results = session
        .thread('lead')
        .messages.at(-1)!
        .content.flatMap((block) => (block.type === 'tool_result' ? [block.tool_use_id] : []));
      expect(results).toEqual(calls);
    }
  });

  test('a tool of the policy deny is never run', () => {
    const session = new GivenSession('Begin.', { agents: [givenAgent('lead', { tools: [givenTool('pay', { policy: 'deny' })] })] });
    session.answers('lead', { tool: 'pay' });
    expect(session.underWay).toEqual(['model lead']);
    expect(session.dataOf('agent.tool_use')[0]).toMatchObject({ evaluated_permission: 'deny' });
    expect(lastResult(session)).toMatchObject({ is_error: true, df_code: 'denied' });
  });

  test('confidence and reason are recorded beside the call and taken out of its input', () => {
    const session = new GivenSession('Begin.', solo);
    session.answers('lead', { tool: 'look', input: { at: 1, decision: { confidence: 0.7, reason: 'It is near.' } } });
    const call = session.events.find((event) => event.type === 'agent.tool_use')!;
    expect((call.data as { input: unknown }).input).toEqual({ at: 1 });
    expect(session.dataOf('decision.recorded')).toEqual([{ event_id: call.id, confidence: 0.7, reason: 'It is near.' }]);
    expect(session.work).toMatchObject([{ kind: 'tool', input: { at: 1 } }]);
  });

  test.each([
    [{ confidence: 7 }, []],
    [{ confidence: -0.1, reason: 'so' }, [{ reason: 'so' }]],
    [{ confidence: Number.NaN }, []],
    ['sure', []],
    [null, []],
    [{ confidence: 1, reason: 'x'.repeat(3000) }, [{ confidence: 1, reason: 'x'.repeat(2000) }]],
  ])('a decision that makes no sense is left out: %j', (decision, recorded) => {
    const session = new GivenSession('Begin.', solo);
    session.answers('lead', { tool: 'look', input: { decision } });
    expect(session.dataOf('decision.recorded')).toEqual(
      recorded.map((decision) => ({ event_id: expect.any(String) as string, ...decision })),
    );
    expect(session.work).toMatchObject([{ input: {} }]);
  });

  test('a refusal ends the turn with its explanation, and runs none of its calls', () => {
    const session = new GivenSession('Begin.', solo);
    const refusal = { category: 'cyber', explanation: 'No.' };
    session.answers('lead', ['I will not.', { tool: 'look' }], { stopReason: 'refusal', refusal });
    expect(session.state).toMatchObject({ status: 'idle', stopReason: { type: 'refusal' } });
    expect(session.dataOf('session.status_idle')[0]).toMatchObject({ stop_details: { type: 'refusal', ...refusal } });
    expect(session.dataOf('agent.tool_use')).toEqual([]);
  });

  test('an answer that was cut off keeps its words, runs no call, and says what to change', () => {
    const session = new GivenSession('Begin.', solo);
    session.answers('lead', ['Half a', { tool: 'look' }], { stopReason: 'max_tokens' });
    expect(session.state).toMatchObject({ status: 'idle', stopReason: { type: 'retries_exhausted' } });
    expect(session.state.error).toContain('max_tokens = 100');
    expect(session.dataOf('agent.tool_use')).toEqual([]);
    expect(session.thread('lead').messages.at(-1)).toEqual({ role: 'assistant', content: [{ type: 'text', text: 'Half a' }] });
  });

  test('attempts count up, and the last one stops the thread', () => {
    const session = new GivenSession('Begin.', solo);
    const { id, request } = session.thread('lead');
    const failure = { threadId: id, startId: request!.startId, attempt: 1, code: 'model_overloaded', message: 'busy', retryAfterMs: 700 };
    expect(session.when((state) => attemptFailed(state, failure))).toEqual(['model.attempt_failed']);
    expect(session.work).toMatchObject([{ kind: 'model', attempt: 2, delayMs: 700 }]);
    // The same failure, told twice.
    expect(session.when((state) => attemptFailed(state, failure))).toEqual([]);
    fail(session, 'lead', 'model_rate_limited');
    expect(session.state).toMatchObject({ status: 'idle', stopReason: { type: 'retries_exhausted' }, error: 'model_rate_limited' });
    expect(session.dataOf('session.error')[0]).toMatchObject({ error: { type: 'model_rate_limited_error' } });
    // It goes on with the next message.
    session.when((state) => sendMessage(state, 'Again.'));
    expect(session.underWay).toEqual(['model lead']);
    expect(session.state.error).toBeNull();
  });

  test('messages that come meanwhile are queued, and taken up together with the results', () => {
    const session = new GivenSession('Begin.', solo);
    session.when((state) => sendMessage(state, 'And this.'));
    expect(() => sendMessage(session.state, 'Now!', 'reject')).toThrow('is running');
    session.answers('lead', { tool: 'look' });
    session.when((state) => sendMessage(state, 'And that.'));
    expect(session.finishes('look', 'seen')).toEqual(['agent.tool_result', 'message.taken_up', 'span.model_request_start']);
    expect(session.thread('lead').messages.at(-1)!.content).toMatchObject([
      { type: 'tool_result', content: 'seen' },
      { type: 'text', text: 'And this.' },
      { type: 'text', text: 'And that.' },
    ]);
    expect(session.state.queue).toEqual([]);
  });
});

describe('a team', () => {
  test('runs its delegations in parallel, and the lead gets both reports', () => {
    const session = new GivenSession('Begin.', team);
    session.answers('lead', [ask('left'), ask('right')]);
    expect(session.underWay).toEqual(['model left', 'model right']);
    expect(session.thread('left').messages.toArray()).toEqual([{ role: 'user', content: [{ type: 'text', text: 'task of left' }] }]);
    session.answers('right', 'from the right');
    expect(session.underWay).toEqual(['model left']);
    session.answers('left', 'from the left');
    expect(session.thread('lead').messages.at(-1)!.content).toMatchObject([
      { content: 'from the left', is_error: false },
      { content: 'from the right', is_error: false },
    ]);
    session.answers('lead', 'Done.');
    expect(session.state.stopReason).toEqual({ type: 'end_turn' });
  });

  test.each([
    ['retries_exhausted', (session: GivenSession) => fail(session, 'left', 'model_overloaded')],
    ['refusal', (session: GivenSession) => session.answers('left', 'No.', { stopReason: 'refusal' })],
    ['retries_exhausted', (session: GivenSession) => session.answers('left', 'All is w', { stopReason: 'max_tokens' })],
    ['interrupted', (session: GivenSession) => session.when((state) => interrupt(state, session.thread('left').id))],
  ])('a specialist that fails (%s) does not look like success, and leaves its sibling alone', (reason, happens) => {
    const session = new GivenSession('Begin.', team);
    session.answers('lead', [ask('left'), ask('right')]);
    happens(session);
    expect(session.underWay).toEqual(['model right']);
    session.answers('right', 'fine');
    const [left, right] = session.thread('lead').messages.at(-1)!.content;
    expect(left).toMatchObject({ is_error: true, content: expect.stringContaining(`left did not finish (${reason})`) as string });
    expect(right).toMatchObject({ is_error: false, content: 'fine' });
    expect(session.underWay).toEqual(['model lead']);
  });

  test.each([
    [{ agent: 'nobody', message: 'x' }, 'unknown_agent'],
    [{ agent: 'lead', message: 'x' }, 'unknown_agent'],
    [{ agent: 7, message: 'x' }, 'unknown_agent'],
    [{ agent: 'left' }, 'invalid_tool_input'],
    [{ agent: 'left', message: '' }, 'invalid_tool_input'],
    [null, 'unknown_agent'],
  ])('a delegation that makes no sense is closed with the reason: %j', (input, code) => {
    const session = new GivenSession('Begin.', team);
    session.answers('lead', { tool: 'delegate', input });
    expect(lastResult(session)).toMatchObject({ is_error: true, df_code: code });
    expect(session.state.threads).toHaveLength(1);
  });

  test('an interrupt closes every open call of all threads, and starts nothing', () => {
    const session = new GivenSession('Begin.', team);
    session.answers('lead', [ask('left'), ask('right'), { tool: 'pay' }]);
    session.answers('left', { tool: 'look' });
    const types = session.when((state) => interrupt(state));
    expect(types).not.toContain('span.model_request_start');
    expect(session.work).toEqual([]);
    expect(session.state.threads.flatMap((thread) => thread.calls.map((call) => call.status))).toEqual([
      'closed',
      'closed',
      'closed',
      'closed',
    ]);
    expect(session.state).toMatchObject({ status: 'idle', stopReason: { type: 'end_turn' } });
    expect(session.when((state) => interrupt(state))).toEqual([]);
  });
});

describe('a call that asks a person', () => {
  const asked = (): { session: GivenSession; toolUseId: string } => {
    const session = new GivenSession('Begin.', solo);
    session.answers('lead', { tool: 'pay', input: { sum: 5 } });
    expect(session.state).toMatchObject({ status: 'idle', stopReason: { type: 'requires_action' } });
    const [toolUseId] = awaitedEvents(session.state);
    return { session, toolUseId: toolUseId! };
  };
  const updateTeam = (session: GivenSession, tool: object | null): string[] =>
    session.when((state) => {
      const agents = state.team.agents.map((agent) => ({
        ...agent,
        tools: agent.tools.flatMap((t) => (t.name !== 'pay' ? [t] : tool === null ? [] : [{ ...t, ...tool }])),
      }));
      const data = { team: { ...state.team, agents }, changed_tools: [{ agent: 'lead', tool: 'pay' }] };
      return [{ type: 'session.team_updated', class: 'owner', actor: 'system', data }];
    });

  test('starts when it is allowed, once', () => {
    const { session, toolUseId } = asked();
    expect(session.underWay).toEqual([]);
    const types = session.when((state) => confirmTool(state, { toolUseId, result: 'allow', by: 'bob' }));
    expect(types).toEqual(['user.tool_confirmation', 'session.status_running', 'tool.started']);
    expect(session.underWay).toEqual(['tool lead pay']);
    expect(() => confirmTool(session.state, { toolUseId, result: 'allow', by: 'bob' })).toThrow('was decided before');
    expect(session.dataOf('tool.started')[0]).toMatchObject({
      tool_use_id: toolUseId,
      confirmation_id: session.events.find((e) => e.type === 'user.tool_confirmation')!.id,
    });
  });

  test('gets the words of the person who denies it', () => {
    const { session, toolUseId } = asked();
    session.when((state) => confirmTool(state, { toolUseId, result: 'deny', by: 'bob', message: 'Too much.' }));
    expect(lastResult(session)).toMatchObject({ df_code: 'denied', content: [{ text: 'Too much.' }] });
    expect(session.underWay).toEqual(['model lead']);
  });

  test('is approved as it was shown, or not at all', () => {
    const { session, toolUseId } = asked();
    expect(() => confirmTool(session.state, { toolUseId, result: 'allow', by: 'bob', callHash: 'another' })).toThrow(
      'is not the one that was shown',
    );
    expect(() => confirmTool(session.state, { toolUseId: 'sevt_x', result: 'allow', by: 'bob' })).toThrow('no call');
    const callHash = session.thread('lead').calls[0]!.callHash!;
    expect(confirmTool(session.state, { toolUseId, result: 'allow', by: 'bob', callHash })).toHaveLength(1);
  });

  test('is asked for again when its tool changed, also when it had been approved', () => {
    const { session, toolUseId } = asked();
    const { callHash } = session.thread('lead').calls[0]!;
    expect(updateTeam(session, { effect: 'keyed' })).toContain('approval.stale');
    expect(() => confirmTool(session.state, { toolUseId, result: 'allow', by: 'bob', callHash: callHash! })).toThrow(
      'is not the one that was shown',
    );
    session.when((state) => confirmTool(state, { toolUseId, result: 'allow', by: 'bob' }));
    expect(session.underWay).toEqual(['tool lead pay']);
  });

  test.each([
    [{ policy: 'deny' }, 'denied'],
    [null, 'unknown_tool'],
  ])('is closed when its tool is forbidden or gone meanwhile: %j', (tool, code) => {
    const { session } = asked();
    updateTeam(session, tool);
    expect(lastResult(session)).toMatchObject({ is_error: true, df_code: code });
    expect(session.underWay).toEqual(['model lead']);
  });

  test('leaves the rest of the team running, and is seen at any depth', () => {
    const session = new GivenSession('Begin.', {
      agents: [givenAgent('lead', { roster: ['left', 'right'] }), givenAgent('left', { tools: [pay] }), givenAgent('right')],
    });
    session.answers('lead', [ask('left'), ask('right')]);
    session.answers('left', { tool: 'pay' });
    expect(session.state.status).toBe('running');
    session.answers('right', 'Done.');
    expect(session.state).toMatchObject({
      status: 'idle',
      stopReason: { type: 'requires_action', event_ids: awaitedEvents(session.state) },
    });
    session.when((state) => confirmTool(state, { toolUseId: awaitedEvents(state)[0]!, result: 'allow', by: 'bob' }));
    expect(session.underWay).toEqual(['tool left pay']);
  });
});

describe('a process that takes a session over', () => {
  test('asks the open requests once more and shows it', () => {
    const session = new GivenSession('Begin.', team);
    session.answers('lead', [ask('left'), ask('right')]);
    session.answers('left', { tool: 'look' });
    expect(session.when(recovered)).toEqual(['model.attempt_failed']);
    expect(session.work).toMatchObject([{ kind: 'tool' }, { kind: 'model', attempt: 2, delayMs: 0 }]);
    expect(session.dataOf('model.attempt_failed')[0]).toMatchObject({ code: 'process_restarted' });
  });

  test('runs pure and keyed tools again, and never an unsafe one', () => {
    const tools = [givenTool('look'), givenTool('pay', { effect: 'keyed' }), givenTool('mail', { effect: 'unsafe' })];
    const session = new GivenSession('Begin.', { agents: [givenAgent('lead', { tools })] });
    session.answers('lead', [{ tool: 'look' }, { tool: 'pay' }, { tool: 'mail' }]);
    session.when(recovered);
    expect(session.underWay).toEqual(['tool lead look', 'tool lead pay']);
    expect(lastResult(session)).toMatchObject({ is_error: true, df_code: 'tool_outcome_unknown' });
  });

  test('leaves what waits for a person waiting', () => {
    const session = new GivenSession('Begin.', solo);
    session.answers('lead', { tool: 'pay' });
    expect(session.when(recovered)).toEqual([]);
    expect(session.state.stopReason).toEqual({ type: 'requires_action', event_ids: awaitedEvents(session.state) });
  });
});
