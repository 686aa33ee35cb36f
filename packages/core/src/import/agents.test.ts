// The names of assistant messages: a lead and specialists, each with a thread of its own.
import { describe, expect, it } from 'vitest';
import { evolveSession } from '../session/fold/evolve.ts';
import { initialSession, type SessionState } from '../session/fold/state.ts';
import { LoadedRow } from '../testing/load-row.ts';

const user = (content: string) => ({ role: 'user', content });
const says = (name: string | undefined, content: string) => ({ role: 'assistant', content, ...(name === undefined ? {} : { name }) });
const calls = (name: string, id: string, tool: string) => ({
  role: 'assistant',
  name,
  tool_calls: [{ id, function: { name: tool, arguments: '{}' } }],
});
const result = (id: string) => ({ role: 'tool', tool_call_id: id, content: 'ok' });

function folded(loaded: LoadedRow): SessionState {
  const { session, events } = loaded;
  const ids = loaded.idsOf();
  return events.reduce((state, { type, actor, data }, i) => {
    const place = {
      position: i + 1,
      stream: session.stream,
      seq: i + 1,
      id: ids[i]!,
      time: 0,
      hash: '',
      v: 1,
      causation: null,
      correlation: null,
    };
    return evolveSession(state, { ...place, type, actor, data });
  }, initialSession(session.sessionId));
}

describe('a transcript of several agents', () => {
  const messages = [
    user('My card was charged twice'),
    calls('triage', 'c1', 'transfer_to_billing'),
    result('c1'),
    says('billing', 'I look.'),
    calls('billing', 'c2', 'find_charge'),
    result('c2'),
    says('triage', 'Paid back.'),
    user('Thanks'),
    says('billing', 'Gladly.'),
  ];
  const loaded = new LoadedRow({ messages });

  it('is a lead, who speaks first, and a thread for each of the others', () => {
    expect(loaded.story).toEqual([
      'user: My card was charged twice',
      'triage → transfer_to_billing {}',
      'triage transfer_to_billing ← ok',
      'billing: I look.',
      'billing → find_charge {}',
      'billing find_charge ← ok',
      'triage: Paid back.',
      'user: Thanks',
      'billing: Gladly.',
    ]);
    expect(loaded.dataOf('session.created')[0].team).toMatchObject({
      lead: 'triage',
      agents: [
        { name: 'triage', roster: ['billing'], tools: [{ name: 'transfer_to_billing' }] },
        { name: 'billing', roster: [], tools: [{ name: 'find_charge' }] },
      ],
    });
  });

  it('folds to threads that are idle at the end, and whose calls are closed', () => {
    const state = folded(loaded);
    expect(state.suspended).toBeNull();
    expect(state.status).toBe('idle');
    expect(state.threads.map(({ agent, depth, running, lastMessage }) => [agent, depth, running, lastMessage?.text])).toEqual([
      ['triage', 0, false, 'Paid back.'],
      ['billing', 1, false, 'Gladly.'],
    ]);
    expect(state.threads.flatMap((thread) => thread.calls).every((call) => call.status === 'closed')).toBe(true);
  });

  it('begins each thread once, and each of its turns', () => {
    expect(loaded.dataOf('session.thread_created')).toHaveLength(1);
    expect(loaded.dataOf('session.thread_status_running')).toHaveLength(2);
    expect(loaded.dataOf('session.thread_status_idle').map(({ agent_name }) => agent_name)).toEqual([
      'billing',
      'triage',
      'billing',
      'triage',
    ]);
  });

  it('closes a call that nobody answered in the thread that made it', () => {
    const open = new LoadedRow({ messages: [user('Hi'), says('triage', 'a'), calls('billing', 'c', 'find'), user('Hello?')] });
    expect(open.story).toContain('billing find ← failed The recording holds no result of this call.');
    expect(folded(open).threads.flatMap((thread) => thread.calls.map(({ status }) => status))).toEqual(['closed']);
  });
});

describe('who leads', () => {
  const teamOf = (row: unknown, options = {}) =>
    new LoadedRow(row, options).dataOf('session.created')[0].team as {
      lead: string;
      agents: { name: string; tools: { name: string }[] }[];
    };

  it('is whom the row names', () => {
    const team = teamOf({ agent: 'boss', messages: [says('billing', 'a'), says('boss', 'b')] });
    expect([team.lead, team.agents.map(({ name }) => name)]).toEqual(['boss', ['boss', 'billing']]);
  });

  it('is who speaks without a name', () => {
    for (const none of [undefined, '']) {
      expect(teamOf({ messages: [says('billing', 'a'), says(none, 'b')] }, { agent: 'desk' }).lead).toBe('desk');
    }
  });

  it('is the only one who speaks, under their name', () => {
    const team = teamOf({ messages: [says('billing', 'a')] }, { agent: 'desk' });
    expect([team.lead, team.agents.length]).toEqual(['billing', 1]);
  });

  it('has the tools that nobody calls, beside those of their own', () => {
    const tools = ['spare', 'find', 'route'].map((name) => ({ name, input_schema: { type: 'object' } }));
    const team = teamOf({ tools, messages: [calls('triage', 'a', 'route'), calls('billing', 'b', 'find'), calls('billing', 'c', 'look')] });
    expect(team.agents.map((agent) => agent.tools.map(({ name }) => name))).toEqual([
      ['spare', 'route'],
      ['find', 'look'],
    ]);
  });
});

it('gives a judged call of a specialist its label', () => {
  const loaded = new LoadedRow({
    messages: [user('Hi'), says('triage', 'a'), calls('billing', 'c', 'find')],
    feedback: [{ judges: 'c', verdict: 'right', by: 'desk' }],
  });
  expect(loaded.dataOf('feedback.recorded')[0].judges).toBe(loaded.idsOf('agent.tool_use')[0]);
});
