import { createHash } from 'node:crypto';
import { checkPayload, EVENT_VERSION, eventId, type EventType, type NewEvent } from '@dreamfold/events';
import { describe, expect, it } from 'vitest';
import type { ImportedSession } from './imported-session.ts';
import { parseMessagesLine } from './messages.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

function load(row: unknown, options: { row?: number; source?: string } = {}): ImportedSession {
  const line = typeof row === 'string' ? row : JSON.stringify(row);
  const imported = parseMessagesLine(line, options.row ?? 1, { source: options.source ?? 'runs.jsonl', sha256 });
  if (imported === null) throw new Error('the line was taken for a blank one');
  for (const event of events(imported)) checkPayload(event.type, EVENT_VERSION[event.type as EventType], event.data);
  return imported;
}

function events(imported: ImportedSession): NewEvent[] {
  return imported.appends.flatMap((append) => append.events);
}

function data(imported: ImportedSession, type: string): any[] {
  return events(imported).flatMap((event) => (event.type === type ? [event.data] : []));
}

/** The ids that the log will give the events of a type. */
function ids(imported: ImportedSession, type: string): string[] {
  return imported.appends.flatMap((append) => append.events.flatMap((e, i) => (e.type === type ? [eventId(append.id, i)] : [])));
}

function refusal(row: unknown): string {
  try {
    parseMessagesLine(JSON.stringify(row), 1, { source: 'runs.jsonl', sha256 });
  } catch (error) {
    return (error as Error).message;
  }
  return 'accepted';
}

const anthropic = {
  principal: 'acme',
  title: 'Card charged twice',
  system: 'You route requests.',
  outcome: { score: 0.5, source: 'desk' },
  tools: [
    { name: 'route', description: 'Routes.', input_schema: { type: 'object', properties: { queue: { enum: ['cards', 'billing'] } } } },
  ],
  messages: [
    { role: 'user', content: 'My card was charged twice' },
    {
      role: 'assistant',
      confidence: 0.8,
      reason: 'Says charged.',
      content: [
        { type: 'text', text: 'I will route it.' },
        { type: 'tool_use', id: 't1', name: 'route', input: { queue: 'cards' } },
      ],
    },
    {
      role: 'user',
      content: [{ type: 'tool_result', tool_use_id: 't1', content: [{ type: 'text', text: 'no such queue' }], is_error: true }],
    },
    { role: 'assistant', content: 'Done.' },
  ],
  feedback: [{ judges: 't1', verdict: 'wrong', right_answer: { queue: 'billing' }, by: 'desk' }],
};

const chat = {
  outcome: true,
  messages: [
    { role: 'system', content: 'You route requests.' },
    { role: 'user', content: 'Two things' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [
        { id: 'a', type: 'function', function: { name: 'find', arguments: '{"n":1}' } },
        { id: 'b', type: 'function', function: { name: 'list', arguments: '' } },
      ],
    },
    { role: 'tool', tool_call_id: 'b', content: 'Error: not found' },
    { role: 'tool', tool_call_id: 'a', content: 'one' },
    { role: 'assistant', content: 'Here.' },
    { role: 'user', content: 'Thanks' },
  ],
};

describe('whose request it was, and whose word', () => {
  const created = (row: object, trustPrincipals?: boolean): unknown => {
    const trust = trustPrincipals === undefined ? {} : { trustPrincipals };
    const imported = parseMessagesLine(JSON.stringify(row), 1, { source: 'runs.jsonl', sha256, ...trust })!;
    const { principal, principal_authenticated: authenticated = false } = data(imported, 'session.created')[0] as Record<string, unknown>;
    return [principal, authenticated];
  };

  it('is only claimed, unless whoever imports says otherwise; of a row without one nobody knows', () => {
    const { principal: _, ...nobody } = anthropic;
    expect(created({ ...anthropic, principal: 'Acme ' })).toEqual(['Acme ', false]);
    expect(created({ ...anthropic, principal: 'Acme ' }, false)).toEqual(['Acme ', false]);
    expect(created({ ...anthropic, principal: 'Acme ' }, true)).toEqual(['Acme ', true]);
    expect(created(nobody, true)).toEqual(['unknown', false]);
  });

  it('is the customer’s where the labeller is the principal, and what the row says otherwise', () => {
    const classes = (by: string, more: object = {}): unknown[] => {
      const feedback = [{ judges: 't1', verdict: 'right', by, ...more }];
      return data(load({ ...anthropic, principal: 'acme', feedback }), 'feedback.recorded').map(
        (said) => (said as { class: unknown }).class,
      );
    };
    expect([classes('ACME'), classes('desk'), classes('acme', { class: 'desk' })]).toEqual([['customer'], ['person'], ['desk']]);
  });
});

describe('a row in the style of the Messages API', () => {
  const imported = load(anthropic);

  it('becomes the events of a session that ran here', () => {
    expect(events(imported).map((event) => `${event.class} ${event.type}`)).toEqual([
      'open session.created',
      'claim session.claimed',
      'open user.message',
      'owner session.status_running',
      'owner message.taken_up',
      'owner agent.message',
      'owner agent.tool_use',
      'owner decision.recorded',
      'owner agent.tool_result',
      'owner agent.message',
      'owner outcome.imported',
      'owner session.thread_status_idle',
      'owner session.status_idle',
      'open feedback.recorded',
    ]);
    expect(imported.eventCount).toBe(13);
  });

  it('names its row, its principal, its tools and its system prompt', () => {
    expect(data(imported, 'session.created')[0]).toMatchObject({
      title: 'Card charged twice',
      principal: 'acme',
      imported: { format: 'messages', source: 'runs.jsonl', row: 1 },
      team: { lead: 'agent', agents: [{ system: 'You route requests.', tools: [{ name: 'route', description: 'Routes.' }] }] },
    });
  });

  it('points results, decisions and feedback at the ids that the log gives their call', () => {
    const [call] = ids(imported, 'agent.tool_use');
    expect(data(imported, 'agent.tool_result')).toEqual([
      { tool_use_id: call, content: [{ type: 'text', text: 'no such queue' }], is_error: true },
    ]);
    expect(data(imported, 'decision.recorded')).toEqual([{ event_id: call, confidence: 0.8, reason: 'Says charged.' }]);
    expect(data(imported, 'feedback.recorded')).toEqual([
      { judges: call, verdict: 'wrong', right_answer: { queue: 'billing' }, by: 'desk', class: 'person' },
    ]);
    expect(data(imported, 'message.taken_up')).toEqual([{ message_ids: ids(imported, 'user.message') }]);
    expect(data(imported, 'outcome.imported')).toEqual([{ score: 0.5, source: 'desk' }]);
  });
});

describe('a row in the style of the Chat API', () => {
  const imported = load(chat);

  it('matches results to their calls by id, and knows a failed one by its first word', () => {
    const [a, b] = ids(imported, 'agent.tool_use');
    expect(data(imported, 'agent.tool_use').map(({ name, input }) => ({ name, input }))).toEqual([
      { name: 'find', input: { n: 1 } },
      { name: 'list', input: {} },
    ]);
    expect(data(imported, 'agent.tool_result')).toEqual([
      { tool_use_id: b, content: [{ type: 'text', text: 'Error: not found' }], is_error: true },
      { tool_use_id: a, content: [{ type: 'text', text: 'one' }] },
    ]);
    expect(data(imported, 'outcome.imported')[0].score).toBe(1);
  });

  it('goes idle between turns, and ends idle after a message that nobody answered', () => {
    const turns = events(imported).map((event) => event.type);
    expect(turns.filter((type) => type === 'session.status_idle' || type === 'session.status_running' || type === 'user.message')).toEqual([
      'user.message',
      'session.status_running',
      'session.status_idle',
      'user.message',
      'session.status_running',
      'session.status_idle',
    ]);
  });

  it('hands each message to the agent once', () => {
    expect(data(imported, 'message.taken_up')).toEqual(ids(imported, 'user.message').map((id) => ({ message_ids: [id] })));
  });

  it('takes the tools from their use', () => {
    expect(data(imported, 'session.created')[0].team.agents[0].tools.map((tool: { name: string }) => tool.name)).toEqual(['find', 'list']);
  });
});

describe('the identity of a run', () => {
  it('does not depend on the file, the row or the feedback', () => {
    const { feedback: _, ...without } = anthropic;
    const other = load(without, { row: 9, source: 'copy.jsonl' });
    const first = load(anthropic);
    expect(other.sessionId).toBe(first.sessionId);
    expect(other.appends.map(({ id }) => id)).toEqual(first.appends.slice(0, -1).map(({ id }) => id));
  });

  it('depends on what was recorded, and on the id of the row', () => {
    const all = [anthropic, { ...anthropic, outcome: 1 }, { ...anthropic, id: 'a' }, { ...anthropic, id: 'b' }].map(
      (row) => load(row).sessionId,
    );
    expect(new Set(all).size).toBe(4);
  });

  it('lets appends follow one another without a gap', () => {
    let seq = 0;
    for (const append of load(chat).appends) {
      expect(append.expected).toBe(seq);
      seq += append.events.length;
    }
    expect(load(anthropic).appends.at(-1)).toEqual({
      step: expect.stringContaining('feedback-'),
      id: expect.any(String),
      expected: 'any',
      events: [expect.anything()],
    });
  });

  it('splits a long turn, and no call loses its result by it', () => {
    const messages: unknown[] = [{ role: 'user', content: 'go' }];
    for (let i = 0; i < 150; i += 1) {
      messages.push({ role: 'assistant', content: [{ type: 'tool_use', id: `t${i}`, name: 'step', input: { i } }] });
      messages.push({ role: 'user', content: [{ type: 'tool_result', tool_use_id: `t${i}`, content: 'ok' }] });
    }
    const imported = load({ messages });
    expect(Math.max(...imported.appends.map((append) => append.events.length))).toBe(100);
    expect(data(imported, 'agent.tool_result').map((d) => d.tool_use_id)).toEqual(ids(imported, 'agent.tool_use'));
  });
});

describe('what a recording leaves open', () => {
  it('closes a call without a result as unknown, and says so', () => {
    const imported = load({ messages: [...chat.messages.slice(0, 3), { role: 'user', content: 'Hello?' }] });
    const results = data(imported, 'agent.tool_result');
    expect(results.map((result) => result.df_code)).toEqual(['tool_outcome_unknown', 'tool_outcome_unknown']);
    expect(imported.notes).toHaveLength(2);
    const atTheEnd = load({ messages: chat.messages.slice(0, 3) });
    expect(data(atTheEnd, 'agent.tool_result')).toHaveLength(2);
    expect(events(atTheEnd).at(-1)!.type).toBe('session.status_idle');
  });

  it('accepts an id that is used again once its first call has a result', () => {
    const messages = [...anthropic.messages.slice(0, 3), ...anthropic.messages.slice(1, 4)];
    const imported = load({ messages });
    expect(data(imported, 'agent.tool_result').map((d) => d.tool_use_id)).toEqual(ids(imported, 'agent.tool_use'));
    expect(refusal({ messages, feedback: anthropic.feedback })).toContain('several calls');
  });

  it('keeps blocks that are not known, leaves out messages that say nothing, and notes those', () => {
    const imported = load({
      colour: 'red',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image', source: {} },
            { type: 'text', text: 'What is it?' },
          ],
        },
        { role: 'assistant', content: [{ type: 'thinking', thinking: 'hm' }] },
        { role: 'assistant', content: null, refusal: 'I can’t say.' },
      ],
    });
    expect(imported.notes.map(({ path }) => path)).toEqual(['runs.jsonl:1/colour', 'runs.jsonl:1/messages/1']);
    expect(data(imported, 'user.message')).toEqual([
      {
        content: [
          { type: 'unknown', block_type: 'image', block: { type: 'image', source: {} } },
          { type: 'text', text: 'What is it?' },
        ],
      },
    ]);
    expect(data(imported, 'agent.message')).toEqual([{ content: [{ type: 'text', text: 'I can’t say.' }] }]);
  });

  it('cuts what is too large for an event, and notes how much', () => {
    const large = '"\n'.repeat(200_000);
    const imported = load({
      system: large,
      messages: [
        { role: 'user', content: large },
        { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'save', input: { text: large } }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: large }] },
      ],
    });
    for (const event of events(imported)) expect(Buffer.byteLength(JSON.stringify(event.data))).toBeLessThan(256 * 1024);
    expect(imported.notes).toHaveLength(4);
    expect(data(imported, 'user.message')[0].content[0].text).toMatch(/\[cut on import: \d+ of 400000 characters left out\]$/);
    expect(data(imported, 'agent.tool_use')[0].input.df_cut).toContain('cut on import');
  });

  it('uses the times that were recorded, and no others', () => {
    const [user, assistant] = [
      { role: 'user', content: 'a', time: '2025-01-01T01:00:00+01:00' },
      { role: 'assistant', content: 'b', time: 1735689601000 },
    ];
    const times = load({ messages: [user, assistant] }).appends.map((append) => append.time);
    expect(times).toEqual([1735689600000, 1735689600000, 1735689601000]);
    expect(load({ messages: [user, assistant, assistant] }).appends).toHaveLength(3);
    expect(load(chat).appends.every((append) => append.time === undefined)).toBe(true);
    const stamped = load({ created_at: 1735689600, messages: chat.messages });
    expect(stamped.appends.every((append) => append.time === 1735689600000)).toBe(true);
  });

  it('takes the row’s confidence for messages without their own', () => {
    const decisions = data(load({ ...anthropic, confidence: 0.1 }), 'decision.recorded');
    expect(decisions.map((decision) => decision.confidence)).toEqual([0.8, 0.1]);
  });

  it('takes feedback on a message by its place: on its one call, or on its words', () => {
    const judges = (place: number) =>
      data(load({ ...anthropic, feedback: [{ judges: place, verdict: 'right', by: 'p' }] }), 'feedback.recorded')[0].judges;
    const imported = load(anthropic);
    expect(judges(1)).toBe(ids(imported, 'agent.tool_use')[0]);
    expect(judges(3)).toBe(ids(imported, 'agent.message')[1]);
    expect(refusal({ ...chat, feedback: [{ judges: 2, verdict: 'right', by: 'p' }] })).toContain('several calls');
  });

  it('takes a blank line for nothing and a byte order mark for no text', () => {
    expect(parseMessagesLine('  ', 3, { source: 'x', sha256 })).toBeNull();
    expect(load(`\uFEFF${JSON.stringify(chat)}`).sessionId).toBe(load(chat).sessionId);
  });
});

it('keeps every key of what a tool was called with, and of a right answer', () => {
  const row = `{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": [
    {"type": "tool_use", "id": "t1", "name": "route", "input": {"constructor": "Ferrari", "__proto__": {"x": 1}}}]}],
    "feedback": [{"judges": "t1", "verdict": "wrong", "right_answer": {"constructor": "McLaren", "__proto__": "y"}, "by": "desk"}]}`;
  const session = parseMessagesLine(row.replaceAll('\n', ' '), 1, { source: 'runs.jsonl', sha256 })!;
  const events = session.appends.flatMap((append) => append.events);
  const said = (type: string, field: string): unknown =>
    JSON.stringify((events.find((event) => event.type === type)!.data as Record<string, unknown>)[field]);
  expect(said('agent.tool_use', 'input')).toBe('{"constructor":"Ferrari","__proto__":{"x":1}}');
  expect(said('feedback.recorded', 'right_answer')).toBe('{"constructor":"McLaren","__proto__":"y"}');
});
