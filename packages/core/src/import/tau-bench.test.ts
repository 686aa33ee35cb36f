import { createHash } from 'node:crypto';
import { DreamfoldError, EVENT_VERSION, checkPayload, type EventType } from '@dreamfold/events';
import { describe, expect, it } from 'vitest';
import { readTools } from './recorded/recorded-tools.ts';
import { parseTauBench } from './tau-bench.ts';

const options = {
  source: 'runs.json',
  sha256: (text: string): string => createHash('sha256').update(text).digest('base64url'),
  agent: 'airline',
};

const tool = (name: string, id: string) => ({
  role: 'assistant',
  content: null,
  tool_calls: [{ id, type: 'function', function: { name, arguments: '{"user_id":"mia"}' } }],
});

const run = (trial: number, name: string) => ({
  task_id: 0,
  trial,
  reward: trial,
  info: { task: { user_id: 'mia', actions: [] } },
  traj: [
    { role: 'system', content: 'Policy' },
    { role: 'user', content: 'Book a flight' },
    tool(name, 'call_1'),
    { role: 'tool', tool_call_id: 'call_1', name, content: 'Error: user not found' },
    // Recordings of the field do use an id again.
    tool(name, 'call_1'),
    { role: 'tool', tool_call_id: 'call_1', name, content: '' },
    { role: 'assistant', content: 'Booked.' },
    { role: 'user', content: 'Thanks ###STOP###' },
  ],
});

describe('a tau-bench file', () => {
  const sessions = parseTauBench(JSON.stringify([run(0, 'find'), run(1, 'book')]), options);
  const data = sessions.map((session) => session.appends.flatMap((append) => append.events));

  it('becomes one session a run, with the reward as its outcome and the customer as its principal', () => {
    for (const event of data.flat()) checkPayload(event.type, EVENT_VERSION[event.type as EventType], event.data);
    expect(data.map((events) => events[0]!.data)).toMatchObject([
      {
        title: 'task 0, trial 0',
        principal: 'mia',
        imported: { format: 'tau-bench', source: 'runs.json', row: 1 },
        metadata: { task_id: '0' },
      },
      { title: 'task 0, trial 1', principal: 'mia', imported: { format: 'tau-bench', source: 'runs.json', row: 2 } },
    ]);
    expect(data.flat().flatMap((event) => (event.type === 'outcome.imported' ? [event.data] : []))).toEqual([
      { score: 0, source: 'tau-bench reward' },
      { score: 1, source: 'tau-bench reward' },
    ]);
  });

  it('has every tool of the file in each team, since a run shows only what it used', () => {
    const team = (data[0]![0]!.data as { team: { lead: string; agents: { system: string; tools: unknown[] }[] } }).team;
    expect(team.lead).toBe('airline');
    expect(team.agents[0]!.system).toBe('Policy');
    expect(team.agents[0]!.tools).toEqual(
      ['find', 'book'].map((name) => ({
        name,
        description: '',
        input_schema: { type: 'object' },
        policy: 'always_allow',
        effect: 'unsafe',
      })),
    );
  });

  it('has the schemas that are known from elsewhere of the tools that are called', () => {
    const tools = readTools(
      ['book', 'spare'].map((name) => ({ name, input_schema: { type: 'object', properties: { cabin: { enum: ['a', 'b'] } } } })),
      'tools.json',
      [],
    );
    const [session] = parseTauBench(JSON.stringify([run(0, 'find'), run(1, 'book')]), { ...options, tools });
    const created = session!.appends[0]!.events[0]!.data as { team: { agents: { tools: unknown[] }[] } };
    expect(created.team.agents[0]!.tools).toMatchObject([{ name: 'find', input_schema: { type: 'object' } }, tools[0]]);
  });

  it('gives the same ids for the same runs under another name', () => {
    const again = parseTauBench(JSON.stringify([run(1, 'book')]), { ...options, source: 'other.json' });
    expect(again[0]!.sessionId).toBe(sessions[1]!.sessionId);
    expect(sessions[0]!.sessionId).not.toBe(sessions[1]!.sessionId);
  });
});

it.each<[string, unknown, string, string]>([
  ['not JSON', '[{', 'invalid_json', 'runs.json'],
  ['no list', { runs: [] }, 'invalid_import', 'runs.json'],
  ['no runs', [], 'invalid_import', 'runs.json'],
  ['a reward above 1', [run(0, 'a'), { ...run(0, 'a'), reward: 3 }], 'invalid_import', 'runs.json:2/reward'],
  ['no user', [{ ...run(0, 'a'), info: { error: 'timeout' } }], 'invalid_import', 'runs.json:1/info/task'],
  ['an empty run', [{ ...run(0, 'a'), traj: [] }], 'invalid_import', 'runs.json:1/traj'],
  ['a result without its call', [{ ...run(0, 'a'), traj: run(0, 'a').traj.toSpliced(2, 1) }], 'invalid_import', 'runs.json:1/traj/2'],
])('refuses a file with %s', (_, file, ...[code, path]) => {
  const text = typeof file === 'string' ? file : JSON.stringify(file);
  expect(() => parseTauBench(text, options)).toThrow(DreamfoldError);
  expect(() => parseTauBench(text, options)).toThrow(expect.objectContaining({ code, path }));
});
