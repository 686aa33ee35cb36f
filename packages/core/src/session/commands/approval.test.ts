import { describe, expect, test } from 'vitest';
import { GivenSession, givenAgent, givenTool } from '../../testing/given-session.ts';
import type { CheckedInput } from './approval.ts';
import { confirmTool, type Confirmation } from './confirm-tool.ts';
import { awaitedEvents } from '../decide.ts';
import { tellChanges } from '../fold/input-changes.ts';
import { recovered } from '../recovery.ts';

const SCHEMA = {
  type: 'object',
  properties: { to: { type: 'string' }, cents: { type: 'integer', minimum: 1 }, note: { type: 'string', default: 'none' } },
  required: ['to', 'cents'],
};
const pay = givenTool('pay', { policy: 'always_ask', effect: 'unsafe', input_schema: SCHEMA });
const look = givenTool('look');

/** Refuses cents that are not positive, and fills in the note, as the tool's code would. */
function code(input: unknown): CheckedInput {
  const { cents, note } = input as { cents?: unknown; note?: unknown };
  if (typeof cents !== 'number' || cents < 1) return { fits: false, message: 'pay: cents: too small' };
  return note === undefined ? { fits: true, parsed: { ...(input as object), note: 'none' } } : { fits: true };
}

const WHOLE = { to: 'ann', cents: 500, note: 'for order 7' };

function asked(input: unknown = WHOLE): GivenSession {
  const session = new GivenSession('Begin.', { agents: [givenAgent('lead', { tools: [pay, look] })] });
  session.check = (_agent, tool, given) => (tool === 'pay' ? code(given) : { fits: true });
  session.answers('lead', { tool: 'pay', input });
  return session;
}

function confirm(session: GivenSession, confirmation: Partial<Confirmation> = {}): string[] {
  const toolUseId = awaitedEvents(session.state)[0]!;
  return session.when((state) =>
    confirmTool(state, { toolUseId, result: 'allow', by: 'bob', ...confirmation }, (...given) => session.check(...given)),
  );
}

const call = (session: GivenSession) => session.thread('lead').calls[0]!;
const toldOf = (session: GivenSession): string => {
  const block = session.thread('lead').messages.at(-1)!.content[0]!;
  return block.type === 'tool_result' ? block.content : '';
};

describe('a call that a person is asked about', () => {
  test('fits its schema: one that does not is told to the model at once, and nobody is asked', () => {
    const session = asked({ to: 'ann', cents: -5 });
    expect(session.underWay).toEqual(['model lead']);
    expect(session.dataOf('agent.tool_result')).toMatchObject([{ is_error: true, df_code: 'invalid_tool_input' }]);
    expect(toldOf(session)).toBe('pay: cents: too small');
    expect(session.dataOf('agent.tool_use')[0]).toMatchObject({ evaluated_permission: 'deny' });
  });

  test('is shown, bound and run as its schema made it; the model keeps what it said', () => {
    const session = asked({ to: 'ann', cents: 500 });
    const parsed = { to: 'ann', cents: 500, note: 'none' };
    expect(session.dataOf('agent.tool_use')).toMatchObject([{ input: { to: 'ann', cents: 500 }, df_parsed_input: parsed }]);
    expect(call(session)).toMatchObject({ given: { to: 'ann', cents: 500 }, input: parsed, status: 'asked' });
    confirm(session);
    expect(session.work).toMatchObject([{ kind: 'tool', input: parsed, isParsed: true }]);
    expect(session.thread('lead').messages.at(-1)!.content).toMatchObject([{ type: 'tool_use', input: { to: 'ann', cents: 500 } }]);
    session.finishes('pay', 'paid');
    expect(toldOf(session)).toBe('paid');
  });

  test('an approval of the input as it was given is none of what its schema makes of it', () => {
    const [plain, filled] = [asked({ to: 'ann', cents: 5, note: 'none' }), asked({ to: 'ann', cents: 5 })];
    expect(call(plain).callHash).toBe(call(filled).callHash);
    expect(call(asked({ to: 'ann', cents: 5, note: 'other' })).callHash).not.toBe(call(filled).callHash);
  });

  test('that is too long beside what its schema makes of it is refused, since one event holds both', () => {
    const session = asked({ to: 'x'.repeat(150_000), cents: 1 });
    expect(session.dataOf('agent.tool_result')).toMatchObject([{ df_code: 'invalid_tool_input' }]);
  });

  test('is given its schema anew when its tool changes meanwhile, and refused when it no longer fits', () => {
    for (const [check, type] of [
      [(): CheckedInput => ({ fits: true, parsed: { to: 'ann', cents: 1 } }), 'approval.stale'],
      [(): CheckedInput => ({ fits: false, message: 'pay: to: unknown' }), 'agent.tool_result'],
    ] as const) {
      const session = asked({ to: 'ann', cents: 500 });
      session.check = check;
      const types = session.when((state) => [
        {
          ...{ type: 'session.team_updated', class: 'owner', actor: 'system' },
          data: { team: state.team, changed_tools: [{ agent: 'lead', tool: 'pay' }] },
        },
      ]);
      expect(types).toContain(type);
      if (type === 'approval.stale')
        expect(call(session)).toMatchObject({ status: 'asked', input: { to: 'ann', cents: 1 }, isParsed: true });
      else expect(session.dataOf('agent.tool_result')).toMatchObject([{ df_code: 'invalid_tool_input' }]);
    }
  });
});

describe('an input that a person changed', () => {
  const less = { ...WHOLE, cents: 400 };

  test('stands on the log beside that of the model, runs, and is told to the model', () => {
    const session = asked();
    const { callHash } = call(session);
    expect(confirm(session, { input: less })).toEqual(['user.tool_confirmation', 'session.status_running', 'tool.started']);
    expect(session.dataOf('user.tool_confirmation')).toMatchObject([{ result: 'allow', df_input: less }]);
    expect(session.events.find(({ type }) => type === 'user.tool_confirmation')!.actor).toBe('person:bob');
    expect(session.dataOf('agent.tool_use')).toMatchObject([{ input: WHOLE }]);
    expect(session.work).toMatchObject([{ kind: 'tool', input: less, isParsed: false }]);
    expect(session.dataOf('tool.started')[0]!['call_hash']).not.toBe(callHash);
    session.finishes('pay', 'paid');
    expect(toldOf(session)).toMatch(/^A person changed the input of this call before it ran:\n- cents: 500 → 400\n.*\npaid$/);
    expect(session.dataOf('agent.tool_result')).toMatchObject([{ content: [{ text: 'paid' }] }]);
  });

  test('is told to the model also when nobody knows whether the call ran', () => {
    const session = asked();
    confirm(session, { input: less });
    session.when(recovered);
    expect(toldOf(session)).toContain('cents: 500 → 400');
    expect(toldOf(session)).toContain('Outcome unknown');
  });

  test('that is the one asked for changes nothing', () => {
    const session = asked({ to: 'ann', cents: 500 });
    confirm(session, { input: { note: 'none', cents: 500, to: 'ann' } });
    expect(session.dataOf('user.tool_confirmation')[0]).not.toHaveProperty('df_input');
    session.finishes('pay', 'paid');
    expect(toldOf(session)).toBe('paid');
  });

  test.each([
    [{ ...WHOLE, cents: 0 }, 'invalid_tool_input', 'cents: too small'],
    [{ to: 'ann', cents: 400 }, 'invalid_tool_input', 'makes {"to":"ann","cents":400,"note":"none"} of that'],
    [{ ...WHOLE, to: new Date(0) }, 'invalid_argument', 'not JSON'],
    [{ ...WHOLE, to: '\ud800' }, 'invalid_argument', 'not JSON'],
  ])('%j is refused before it is recorded', (input, code, words) => {
    const session = asked();
    expect(() => confirm(session, { input })).toThrow(expect.objectContaining({ code, message: expect.stringContaining(words) as string }));
    expect(awaitedEvents(session.state)).toHaveLength(1);
  });

  test('has no place in a denial', () => {
    expect(() => confirm(asked(), { result: 'deny', input: less })).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });

  test.each([
    [{ ...WHOLE, cents: 0 }, 'cents'],
    [{ ...WHOLE, cents: 'many' }, 'cents'],
    [{ to: 'ann', cents: 400 }, '"note":"none"'],
    [{ ...WHOLE, cent: 400 }, 'pay: cent: there is no such field, only to, cents, note'],
  ])('%j is refused by the schema on the log too, where the code is not at hand', (input, words) => {
    const session = asked();
    const toolUseId = awaitedEvents(session.state)[0]!;
    const without = (): unknown => confirmTool(session.state, { toolUseId, result: 'allow', by: 'bob', input });
    expect(without).toThrow(expect.objectContaining({ code: 'invalid_tool_input', message: expect.stringContaining(words) as string }));
  });

  test('that the code refuses after all is not run: the call is asked for again as it was, with the reason', () => {
    const session = asked({ to: 'ann', cents: 500 });
    const before = call(session);
    session.check = () => ({ fits: false, message: 'pay: to: is blocked' });
    const toolUseId = awaitedEvents(session.state)[0]!;
    const edited = session.when((state) => {
      const events = confirmTool(state, { toolUseId, result: 'allow', by: 'bob', input: { ...WHOLE, to: 'eve' } });
      session.check = (_agent, _tool, input) =>
        (input as { to: string }).to === 'eve' ? { fits: false, message: 'pay: to: is blocked' } : code(input);
      return events;
    });
    expect(edited).toEqual(['user.tool_confirmation', 'session.status_running', 'approval.stale', 'session.usage', 'session.status_idle']);
    expect(session.dataOf('approval.stale')[0]!['reason']).toContain('pay: to: is blocked');
    expect(call(session)).toEqual(before);
    expect(awaitedEvents(session.state)).toEqual([toolUseId]);
    confirm(session);
    expect(session.work).toMatchObject([{ kind: 'tool', input: { to: 'ann', cents: 500, note: 'none' } }]);
  });

  test('counts as a call of its own: the same one is not made more often than the cap allows', () => {
    const session = asked();
    for (const cents of [1, 2, 3]) {
      confirm(session, { input: { ...WHOLE, cents: 9 } });
      session.finishes('pay', 'paid');
      session.answers('lead', { tool: 'pay', input: { ...WHOLE, cents } });
    }
    expect(() => confirm(session, { input: { ...WHOLE, cents: 9 } })).toThrow(expect.objectContaining({ code: 'budget_exceeded' }));
    confirm(session);
    expect(session.underWay).toEqual(['tool lead pay']);
  });

  test('is not used when the tool is another one by the time that it would run', () => {
    const session = asked();
    const toolUseId = awaitedEvents(session.state)[0]!;
    // In one append, as where the approval came while nobody ran the session.
    session.when((state) => [
      ...confirmTool(state, { toolUseId, result: 'allow', by: 'bob', input: less }),
      {
        type: 'session.team_updated',
        class: 'owner',
        actor: 'system',
        data: { team: state.team, changed_tools: [{ agent: 'lead', tool: 'pay' }] },
      },
    ]);
    expect(call(session)).toMatchObject({ status: 'asked', input: WHOLE, edit: null });
  });
});

test.each(['', '  ', 'a\u202eb', 'x'.repeat(101), 'person:', 7])("an approval of %j is nobody's", (by) => {
  expect(() => confirm(asked(), { by: by as string })).toThrow(
    expect.objectContaining({ code: expect.stringMatching(/^(?:invalid_argument|suspicious_unicode)$/) as string, path: 'by' }),
  );
});

test('the words of a change name what was added, taken out and changed, and are short whatever the values are', () => {
  const told = tellChanges({ a: { b: 1, c: [1] }, gone: 'x' }, { a: { b: 2, c: [1] }, 'n/ew': 'y'.repeat(9000) });
  expect(told).toContain('- a/b: 1 → 2\n- gone: "x" (taken out)\n- n~1ew: "yyy');
  expect(told).toContain('… (9002 characters) (added)');
  const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`k${i}`, i]));
  expect(tellChanges({}, many)).toContain('- and 20 more');
});

describe('an approval', () => {
  test('counts once: what is said of the call afterwards changes nothing', () => {
    const session = asked();
    confirm(session);
    const toolUseId = call(session).id;
    const data = { tool_use_id: toolUseId, result: 'deny', deny_message: 'No.', session_thread_id: session.thread('lead').id };
    // Written by somebody who had not heard of the first.
    session.when(() => [{ type: 'user.tool_confirmation', class: 'open', actor: 'person:eve', data }]);
    expect(session.underWay).toEqual(['tool lead pay']);
    expect(() => confirmTool(session.state, { toolUseId, result: 'deny', by: 'eve' })).toThrow(
      expect.objectContaining({ code: 'approval_already_used' }),
    );
  });

  test('is of the call that was shown', () => {
    const session = asked();
    expect(() => confirm(session, { callHash: 'another' })).toThrow(expect.objectContaining({ code: 'approval_stale' }));
    confirm(session, { callHash: call(session).callHash! });
    expect(session.underWay).toEqual(['tool lead pay']);
  });

  test.each<[what: string, change: Partial<typeof pay>]>([
    ['schema', { input_schema: { ...SCHEMA, required: ['to'] } }],
    ['policy', { policy: 'always_allow' }],
    ['effect', { effect: 'keyed' }],
  ])('is of the tool that was shown: with another %s the call has to be looked at again', (_what, change) => {
    const session = asked();
    const { callHash } = call(session);
    const agents = [givenAgent('lead', { tools: [{ ...pay, ...change }, look] })];
    const data = { team: { lead: 'lead', agents }, changed_tools: [{ agent: 'lead', tool: 'pay' }] };
    session.when(() => [{ type: 'session.team_updated', class: 'owner', actor: 'system', data }]);
    expect(call(session)).toMatchObject({ status: 'asked', input: WHOLE });
    expect(call(session).callHash).not.toBe(callHash);
    expect(() => confirm(session, { callHash: callHash! })).toThrow(expect.objectContaining({ code: 'approval_stale' }));
  });
});
