// Rows in the styles that transcripts are found in, beside those of the Messages API and the Chat API.
import { describe, expect, it } from 'vitest';
import { LoadedRow } from '../testing/load-row.ts';

const ROUTED = ['user: My parcel is late', 'agent → route {"queue":"shipping"}', 'agent route ← routed', 'agent: Done.'];

describe('items of the Responses API', () => {
  const output = [
    { type: 'reasoning', id: 'rs_1', summary: [] },
    { type: 'function_call', id: 'fc_1', call_id: 'c1', name: 'route', arguments: '{"queue":"shipping"}', status: 'completed' },
    { type: 'function_call_output', call_id: 'c1', output: 'routed' },
    {
      type: 'message',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'Done.', annotations: [{ type: 'url_citation', url: 'https://x.example' }] }],
    },
  ];
  const message = { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'My parcel is late' }] };

  it.each([
    ['as input and output', { instructions: 'Route.', input: 'My parcel is late', output }],
    ['as lists of both', { instructions: 'Route.', input: [message], output }],
    ['as messages', { instructions: 'Route.', messages: [message, ...output] }],
    ['as the row itself', [{ role: 'developer', content: 'Route.' }, message, ...output]],
  ])('are read %s', (_, row) => {
    const loaded = new LoadedRow(row);
    expect(loaded.story).toEqual(ROUTED);
    expect(loaded.dataOf('session.created')[0].team.agents[0]).toMatchObject({ system: 'Route.', tools: [{ name: 'route' }] });
    expect(loaded.notes).toEqual([
      expect.stringMatching(/: an item of type reasoning was left out$/),
      expect.stringMatching(/\/content\/0\/annotations: was left out$/),
    ]);
  });

  it('may be judged by their place, counted through input and output, or by the id of the call', () => {
    for (const judges of [2, 'c1']) {
      const feedback = [{ judges, verdict: 'right', by: 'desk', created_at: '2025-01-01T00:00:00Z' }];
      const loaded = new LoadedRow({ input: 'My parcel is late', output, feedback });
      expect(loaded.dataOf('feedback.recorded')).toEqual([
        { judges: loaded.idsOf('agent.tool_use')[0], verdict: 'right', by: 'desk', class: 'person' },
      ]);
      expect(loaded.session.appends.at(-1)!.time).toBe(Date.UTC(2025));
    }
  });

  it('hold custom calls, whose input is text, and several calls at once', () => {
    const loaded = new LoadedRow({
      input: 'Go',
      output: [
        { type: 'custom_tool_call', call_id: 'a', name: 'shell', input: 'ls' },
        { type: 'function_call', call_id: 'b', name: 'find', arguments: '' },
        { type: 'function_call_output', call_id: 'b', output: [{ type: 'input_text', text: 'found' }] },
        { type: 'custom_tool_call_output', call_id: 'a', output: 'x.txt' },
      ],
    });
    expect(loaded.story).toEqual([
      'user: Go',
      'agent → shell {"input":"ls"}',
      'agent → find {}',
      'agent find ← found',
      'agent shell ← x.txt',
    ]);
  });

  it('declare tools without a level for the function, and those of the service are left out', () => {
    const tools = [
      { type: 'function', name: 'route', parameters: { type: 'object', properties: { queue: { enum: ['a', 'b'] } } } },
      { type: 'web_search' },
    ];
    const loaded = new LoadedRow({ input: 'My parcel is late', output: output.slice(1, 3), tools });
    expect(loaded.dataOf('session.created')[0].team.agents[0].tools).toMatchObject([
      { name: 'route', input_schema: { properties: { queue: { enum: ['a', 'b'] } } } },
    ]);
    expect(loaded.notes).toEqual(['tools/1: a tool of the service, of type web_search, was left out']);
  });
});

describe('function_call and role function', () => {
  it('are a call and its result, told by the name of the function', () => {
    const call = (name: string, queue: string) => ({
      role: 'assistant',
      content: null,
      function_call: { name, arguments: `{"queue":"${queue}"}` },
    });
    const loaded = new LoadedRow({
      messages: [
        { role: 'user', content: 'My parcel is late' },
        call('route', 'billing'),
        { role: 'function', name: 'route', content: 'Error: no such queue' },
        call('route', 'shipping'),
        { role: 'function', name: 'route', content: 'routed' },
        { role: 'assistant', content: 'Done.' },
      ],
    });
    expect(loaded.story).toEqual([
      ROUTED[0],
      'agent → route {"queue":"billing"}',
      'agent route ← failed Error: no such queue',
      ...ROUTED.slice(1),
    ]);
  });
});

describe('messages of LangChain', () => {
  const plain = [
    { type: 'system', content: 'Route.' },
    { type: 'human', content: 'My parcel is late' },
    {
      type: 'ai',
      content: '',
      tool_calls: [{ type: 'tool_call', id: 'c1', name: 'route', args: { queue: 'shipping' } }],
      response_metadata: {},
    },
    { type: 'tool', tool_call_id: 'c1', name: 'route', content: 'routed', status: 'success' },
    { type: 'ai', content: 'Done.', additional_kwargs: { reasoning_content: 'Let me see.' } },
  ];
  const wrapped = plain.map(({ type, ...data }) => ({ type, data }));
  const constructors = plain.map(({ type, ...kwargs }) => ({
    ...{ lc: 1, type: 'constructor', kwargs },
    id: ['langchain', 'schema', 'messages', { system: 'SystemMessage', human: 'HumanMessage', ai: 'AIMessage', tool: 'ToolMessage' }[type]],
  }));

  it.each([
    ['plain', plain],
    ['with type and data', wrapped],
    ['as constructors', constructors],
  ])('are read %s', (_, messages) => {
    const loaded = new LoadedRow({ messages });
    expect(loaded.story).toEqual(ROUTED);
    expect(loaded.notes).toEqual(['messages/4/reasoning_content: was left out']);
  });

  it('hold each call once, however often it is written down', () => {
    const block = { type: 'tool_use', id: 'c1', name: 'route', input: { queue: 'shipping' } };
    const raw = [{ id: 'c1', type: 'function', function: { name: 'route', arguments: '{"queue":"shipping"}' } }];
    const twice = { ...plain[2], content: [block], additional_kwargs: { tool_calls: raw } };
    expect(new LoadedRow({ messages: plain.with(2, twice as never) }).story).toEqual(ROUTED);
    const { tool_calls: _, ...bare } = plain[2]!;
    const onlyRaw = { ...bare, tool_calls: [], additional_kwargs: { tool_calls: raw } };
    expect(new LoadedRow({ messages: plain.with(2, onlyRaw as never) }).story).toEqual(ROUTED);
  });

  it('say of a call that nobody could read, and of one that failed', () => {
    const messages = [
      plain[1],
      { type: 'ai', content: '', tool_calls: [], invalid_tool_calls: [{ id: 'c1', name: 'route', args: '{"queue": "ship', error: 'x' }] },
      { type: 'tool', tool_call_id: 'c1', content: 'not JSON', status: 'error' },
    ];
    const loaded = new LoadedRow({ messages });
    expect(loaded.story.slice(1)).toEqual(['agent → route {"df_malformed":"{\\"queue\\": \\"ship"}', 'agent route ← failed not JSON']);
  });
});

describe('arguments of a call', () => {
  it.each([
    ['that are cut off', '{"queue": "ship'],
    ['that are a list', '["shipping"]'],
    ['with a key that stands twice', '{"queue":"a","queue":"b"}'],
    ['with half of a surrogate pair', '{"queue":"\\ud800"}'],
    ['that are nested too deep', `${'{"a":'.repeat(80)}1${'}'.repeat(80)}`],
  ])('%s are kept as text, and said to be', (_, json) => {
    const calls = [{ id: 'c1', function: { name: 'route', arguments: json } }];
    const loaded = new LoadedRow({
      messages: [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', tool_calls: calls },
      ],
    });
    expect(loaded.dataOf('agent.tool_use')).toEqual([{ name: 'route', input: { df_malformed: json }, evaluated_permission: 'allow' }]);
    expect(loaded.notes[0]).toMatch(/^messages\/1\/tool_calls\/0\/function\/arguments: is not the text of a JSON object/);
  });

  it('may be an object already', () => {
    const calls = [{ id: 'c1', function: { name: 'route', arguments: { queue: 'a' } } }];
    expect(new LoadedRow({ messages: [{ role: 'assistant', tool_calls: calls }] }).story[0]).toBe('agent → route {"queue":"a"}');
  });
});

describe('what a session has no place for', () => {
  it('is left out, and said to be', () => {
    const loaded = new LoadedRow({
      messages: [
        { role: 'user', name: 'ann', content: 'Hi' },
        {
          role: 'assistant',
          reasoning_content: 'Hm.',
          annotations: [],
          content: [{ type: 'text', text: 'Hello', citations: [{ type: 'char_location' }] }],
        },
      ],
    });
    expect(loaded.story).toEqual(['user: Hi', 'agent: Hello']);
    expect(loaded.dataOf('agent.message')[0].content[0].citations).toEqual([{ type: 'char_location' }]);
    expect(loaded.notes).toEqual(['messages/0/name: was left out: a session has one user', 'messages/1/reasoning_content: was left out']);
  });
});

it('keeps the reason of an outcome', () => {
  const loaded = new LoadedRow({
    messages: [{ role: 'user', content: 'Hi' }],
    outcome: { score: false, source: 'qa', reason: 'Too late.' },
  });
  expect(loaded.dataOf('outcome.imported')).toEqual([{ score: 0, source: 'qa', reason: 'Too late.' }]);
});

it('dates a session by the first time that the row knows, so that it begins before its end', () => {
  const messages = [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Hello', created_at: 1735689600 },
  ];
  expect(new LoadedRow({ messages }).session.appends.map(({ time }) => time)).toEqual([1735689600000, 1735689600000]);
});
