import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { describeModel, type PlannedAnswer } from '../conformance/index.ts';
import { isRetryable, retryAfterMs } from '../error-retry.ts';
import type { ModelRequest, ModelResponse } from '../port.ts';
import { type MessagesServer, type ServedReply, serveMessages } from '../testing/index.ts';
import type { Thinking } from './create-params.ts';
import { anthropic } from './index.ts';

const KEY = 'sk-test-0123456789';

describeModel(
  'anthropic',
  async (plan) => {
    const server = await serveMessages(plan.map(replyTo));
    return { model: anthropic({ apiKey: KEY, baseURL: server.url }), ask: 'Go on.', close: () => server.close() };
  },
  { describe, test },
);

function replyTo(answer: PlannedAnswer): ServedReply {
  switch (answer.do) {
    case 'answer': {
      const calls = (answer.calls ?? []).map((call, i) => ({ ...call, id: `toolu_${i}` }));
      return { content: [...(answer.say === undefined ? [] : [{ text: answer.say }]), ...calls] };
    }
    case 'refuse':
      return { content: [], stopReason: 'refusal', stopDetails: { type: 'refusal', category: 'cyber', explanation: null } };
    case 'overloaded':
      return { status: 529, type: 'overloaded_error', message: 'Overloaded' };
    case 'hang':
      return { content: [{ text: 'Slowly.' }], eventDelayMs: 30_000 };
  }
}

let server: MessagesServer;
afterEach(() => server?.close());

const REQUEST: ModelRequest = {
  model: 'claude-opus-5',
  system: 'Be kind.',
  messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello.' }] }],
  tools: [],
  maxTokens: 100,
};

async function ask(reply: ServedReply, options: { timeoutMs?: number } = {}): Promise<ModelResponse> {
  server = await serveMessages([reply]);
  return anthropic({ apiKey: KEY, baseURL: server.url, ...options }).respond(REQUEST, { signal: new AbortController().signal });
}

/** The error of one attempt; it must have been one request, and must not hold the key. */
async function failureOf(reply: ServedReply, options: { timeoutMs?: number } = {}): Promise<{ code: string; message: string }> {
  const error = await ask(reply, options).then(
    () => expect.unreachable('it should have failed'),
    (caught: unknown) => caught as { code: string; message: string },
  );
  expect(server.requests).toHaveLength(1);
  expect(JSON.stringify(error) + error.message).not.toContain(KEY);
  return error;
}

describe('an answer', () => {
  test('counts tokens as the API does, with those of the cache', async () => {
    const usage = { input_tokens: 3, output_tokens: 44, cache_creation_input_tokens: 500, cache_read_input_tokens: 6000 };
    expect((await ask({ content: [{ text: 'Hi.' }], usage })).usage).toEqual(usage);
  });

  test('that is cut by max_tokens keeps its text and drops the call that cannot be made', async () => {
    const cut = { content: [{ text: 'I add' }, { tool: 'add', json: '{"a": 1, "b' }], stopReason: 'max_tokens' };
    expect(await ask(cut)).toMatchObject({ stopReason: 'max_tokens', content: [{ type: 'text', text: 'I add' }] });
  });

  test('that is refused says why', async () => {
    const refusal = { category: 'bio', explanation: 'No.' };
    const reply = { content: [{ text: 'I' }], stopReason: 'refusal', stopDetails: { type: 'refusal', ...refusal } };
    expect(await ask(reply)).toMatchObject({ stopReason: 'refusal', refusal });
    expect(await ask({ content: [], stopReason: 'refusal' })).toMatchObject({ refusal: { category: null, explanation: null } });
  });

  test('may call a tool that nobody offered: that is for the caller to answer', async () => {
    expect((await ask({ content: [{ tool: 'launch', input: {} }] })).content).toMatchObject([{ name: 'launch', input: {} }]);
  });

  test('that calls a tool without input has an empty one', async () => {
    expect((await ask({ content: [{ tool: 'now', json: '' }] })).content).toMatchObject([{ name: 'now', input: {} }]);
  });

  test('that says end_turn beside a call is a call', async () => {
    expect(await ask({ content: [{ tool: 'add' }], stopReason: 'end_turn' })).toMatchObject({ stopReason: 'tool_use' });
  });
});

describe('a failed attempt', () => {
  const failing = (status: number, headers: Record<string, string> = {}): ServedReply => ({
    status,
    type: 'some_error',
    message: `What went wrong, with the key ${KEY}`,
    headers,
  });

  test.each([
    [429, 'model_rate_limited', true],
    [529, 'model_overloaded', true],
    [500, 'model_unavailable', true],
    [503, 'model_unavailable', true],
    [504, 'model_timeout', true],
    [408, 'model_timeout', true],
    [400, 'model_request_failed', false],
    [401, 'model_request_failed', false],
    [403, 'model_request_failed', false],
    [404, 'model_request_failed', false],
    [413, 'model_request_failed', false],
  ])('with status %i is %s', async (status, code, retryable) => {
    const error = await failureOf(failing(status));
    expect(error).toMatchObject({ code, value: status, message: expect.stringContaining('What went wrong') });
    expect(isRetryable(error)).toBe(retryable);
  });

  test.each([
    [{ 'retry-after': '7' }, 7000],
    [{ 'retry-after': '0.5' }, 500],
    [{ 'retry-after-ms': '1250', 'retry-after': '2' }, 1250],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'retry-after': '-1' }, undefined],
    [{}, undefined],
  ])('with the headers %j asks for a wait of %s ms', async (headers, expected) => {
    expect(retryAfterMs(await failureOf(failing(429, headers)))).toBe(expected);
  });

  test('can ask for a wait until a date', async () => {
    const wait = retryAfterMs(await failureOf(failing(529, { 'retry-after': new Date(Date.now() + 30_000).toUTCString() })));
    expect(wait).toBeGreaterThan(20_000);
    expect(wait).toBeLessThanOrEqual(30_000);
  });

  test('inside the stream is told by its type', async () => {
    const inStream = (type: string): ServedReply => ({
      raw: `event: message_start\ndata: {"type":"message_start","message":{}}\n\nevent: error\ndata: {"type":"error","error":{"type":"${type}","message":"Oh"}}\n\n`,
    });
    expect(await failureOf(inStream('overloaded_error'))).toMatchObject({
      code: 'model_overloaded',
      message: expect.stringContaining('Oh'),
    });
    expect(await failureOf(inStream('rate_limit_error'))).toMatchObject({ code: 'model_rate_limited' });
    expect(await failureOf(inStream('api_error'))).toMatchObject({ code: 'model_unavailable' });
    expect(await failureOf(inStream('invalid_request_error'))).toMatchObject({ code: 'model_request_failed' });
  });

  test('because the service is silent, before the headers or within the stream', async () => {
    expect(await failureOf({ silent: true }, { timeoutMs: 150 })).toMatchObject({ code: 'model_timeout', value: 150 });
    expect(await failureOf({ content: [{ text: 'Hi.' }], eventDelayMs: 100 }, { timeoutMs: 250 })).toMatchObject({
      code: 'model_timeout',
      value: 250,
    });
  });

  test('because nobody listens names the address', async () => {
    server = await serveMessages([]);
    const model = anthropic({ apiKey: KEY, baseURL: server.url });
    await server.close();
    await expect(model.respond(REQUEST, { signal: new AbortController().signal })).rejects.toMatchObject({
      code: 'model_unavailable',
      message: expect.stringContaining('127.0.0.1'),
    });
  });
});

const CALL = { content: [{ tool: 'add', input: { a: 1, b: 2 } }] };

describe('a stream', () => {
  // message_start, ping, block start, two halves of the input, block stop, message_delta, message_stop
  test.each([0, 1, 2, 3, 4, 5, 6, 7])('that ends before event %i is not an answer', async (before) => {
    expect(await failureOf({ ...CALL, cut: { before, how: 'end' } })).toMatchObject({ code: 'model_protocol_error' });
  });

  test.each([1, 4, 7])('that breaks before event %i is not an answer', async (before) => {
    const error = await failureOf({ ...CALL, cut: { before, how: 'reset' } });
    expect(error.code).toBe('model_unavailable');
  });

  test('that is cut within an event is not an answer', async () => {
    const error = await failureOf({ raw: 'event: message_start\ndata: {"type":"message_start","message":{"usage":{"inp' });
    expect(error.code).toBe('model_protocol_error');
  });

  test.each([
    ['empty content', { content: [] }],
    ['an empty text only', { content: [{ text: '' }] }],
    ['no call where it stops for one', { content: [{ text: 'Hi.' }], stopReason: 'tool_use' }],
    [
      'two calls with one id',
      {
        content: [
          { tool: 'a', id: 'toolu_1' },
          { tool: 'b', id: 'toolu_1' },
        ],
      },
    ],
    ['an input that is not JSON', { content: [{ tool: 'a', json: '{"a":' }] }],
    ['an input that is not an object', { content: [{ tool: 'a', json: '[1]' }] }],
    ['bytes that are not JSON', { raw: 'event: message_start\ndata: {oops\n\n' }],
    ['an event that is not an object', { raw: 'event: message_start\ndata: null\n\n' }],
    ['an event without its fields', { raw: 'event: content_block_start\ndata: {"type":"content_block_start"}\n\n' }],
    [
      'a piece of a block that was not begun',
      { raw: 'event: content_block_delta\ndata: {"type":"content_block_delta","index":3,"delta":{"type":"text_delta","text":"a"}}\n\n' },
    ],
    ['HTML', { raw: '<html>Bad gateway</html>' }],
    ['nothing', { raw: '' }],
  ] as [string, ServedReply][])('with %s is a protocol error', async (_, reply) => {
    const error = await failureOf(reply);
    expect(error.code).toBe('model_protocol_error');
    expect(isRetryable(error)).toBe(true);
  });
});

describe('a request', () => {
  const TOOLS = ['add', 'subtract'].map((name) => ({ name, description: 'Counts.', input_schema: { type: 'object' } }));
  const CONVERSATION: ModelRequest = {
    ...REQUEST,
    tools: TOOLS,
    messages: [
      ...REQUEST.messages,
      {
        role: 'assistant',
        content: [
          { type: 'text', text: '' },
          { type: 'tool_use', id: 'sevt_4k2-1', name: 'add', input: { a: 1 } },
        ],
      },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'sevt_4k2-1', content: 'no', is_error: true }] },
    ],
  };

  test('gives back the input of a call with every key that it came with', async () => {
    const json = '{"constructor":1,"__proto__":{"a":2}}';
    const response = await ask({ content: [{ tool: 'add', json }] });
    server = await serveMessages([{ content: [{ text: 'Done.' }] }]);
    const messages = [
      ...REQUEST.messages,
      { role: 'assistant' as const, content: response.content as ModelRequest['messages'][0]['content'] },
    ];
    const model = anthropic({ apiKey: KEY, baseURL: server.url });
    await model.respond({ ...REQUEST, tools: TOOLS, messages }, { signal: new AbortController().signal });
    expect(JSON.stringify(server.requests[0]!.messages[1]!.content[0]!['input'])).toBe(json);
  });

  async function sent(request: ModelRequest, cache?: boolean): Promise<MessagesServer['requests'][0]> {
    server = await serveMessages(['Hi.']);
    const options = cache === undefined ? {} : { cache };
    await anthropic({ apiKey: KEY, baseURL: server.url, ...options }).respond(request, { signal: new AbortController().signal });
    expect(server.headers[0]).toMatchObject({ authorization: `Bearer ${KEY}`, 'x-stainless-retry-count': '0' });
    return server.requests[0]!;
  }

  test('marks what the next one shares for the cache', async () => {
    const cached = { cache_control: { type: 'ephemeral' } };
    expect(await sent(CONVERSATION)).toEqual({
      model: 'claude-opus-5',
      max_tokens: 100,
      stream: true,
      system: [{ type: 'text', text: 'Be kind.', ...cached }],
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'Hello.' }] },
        { role: 'assistant', content: [{ type: 'tool_use', id: 'sevt_4k2-1', name: 'add', input: { a: 1 } }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'sevt_4k2-1', content: 'no', is_error: true, ...cached }] },
      ],
      tools: TOOLS,
    });
    expect((await sent({ ...CONVERSATION, system: '' })).tools).toEqual([TOOLS[0], { ...TOOLS[1], ...cached }]);
  });

  test('marks nothing when told not to, and leaves out what is empty', async () => {
    expect(JSON.stringify(await sent(CONVERSATION, false))).not.toContain('cache_control');
    expect(Object.keys(await sent({ ...REQUEST, system: '' }))).toEqual(['model', 'max_tokens', 'stream', 'messages']);
  });

  test.each<[Thinking, object]>([
    ['adaptive', { type: 'adaptive' }],
    ['disabled', { type: 'disabled' }],
    [{ budgetTokens: 1024 }, { type: 'enabled', budget_tokens: 1024 }],
  ])('asks for thinking: %j', async (thinking, expected) => {
    server = await serveMessages(['Hi.']);
    const model = anthropic({ apiKey: KEY, baseURL: server.url, thinking });
    await model.respond({ ...REQUEST, maxTokens: 1025 }, { signal: new AbortController().signal });
    expect(server.requests[0]).toMatchObject({ thinking: expected });
  });

  test('is not sent with a budget for thinking that leaves nothing for the answer', async () => {
    server = await serveMessages(['Hi.']);
    const model = anthropic({ apiKey: KEY, baseURL: server.url, thinking: { budgetTokens: 2000 } });
    const answer = model.respond({ ...REQUEST, maxTokens: 2000 }, { signal: new AbortController().signal });
    await expect(answer).rejects.toMatchObject({ code: 'model_request_failed', path: 'thinking/budgetTokens', value: 2000 });
    expect(server.requests).toEqual([]);
  });

  test.each([['on'], [true], [{ budgetTokens: 1023 }], [{ budgetTokens: 2000, type: 'enabled' }]])(
    '%j says nothing of thinking',
    (thinking) => {
      const wrong = (): unknown => anthropic({ apiKey: KEY, thinking: thinking as Thinking });
      expect(wrong).toThrow(expect.objectContaining({ code: 'invalid_argument', path: 'thinking' }));
    },
  );

  test('with a tool name that the API refuses is not sent', async () => {
    server = await serveMessages(['Hi.']);
    const tools = [{ ...TOOLS[0]!, name: 'files.read' }];
    const answer = anthropic({ apiKey: KEY, baseURL: server.url }).respond({ ...REQUEST, tools }, { signal: new AbortController().signal });
    await expect(answer).rejects.toMatchObject({ code: 'model_request_failed', path: 'tools/files.read' });
    expect(server.requests).toHaveLength(0);
  });
});

test('without a key, the error names the variable to set', () => {
  const before = process.env['ANTHROPIC_API_KEY'];
  delete process.env['ANTHROPIC_API_KEY'];
  try {
    expect(() => anthropic()).toThrow(expect.objectContaining({ code: 'config_invalid', path: 'ANTHROPIC_API_KEY' }));
  } finally {
    if (before !== undefined) process.env['ANTHROPIC_API_KEY'] = before;
  }
});

/** Runs a script in a process of its own, which finds the adapter as `anthropic` and the server's address as `baseURL`. */
async function inProcess(script: string): Promise<{ stdout: string; stderr: string }> {
  const source = `
    import { registerHooks } from 'node:module';
    registerHooks({ resolve(name, context, next) {
      if (name === '@anthropic-ai/sdk') console.log('the SDK is loaded');
      return next(name, context);
    } });
    await import(${JSON.stringify(import.meta.resolve('../index.ts'))});
    const { anthropic } = await import(${JSON.stringify(import.meta.resolve('./index.ts'))});
    const model = anthropic({ apiKey: 'x', baseURL: ${JSON.stringify(server.url)} });
    const ask = () => model.respond(${JSON.stringify(REQUEST)}, { signal: new AbortController().signal });
    ${script}`;
  return promisify(execFile)(process.execPath, ['--input-type=module', '-e', source]);
}

test('the SDK is loaded at the first request, not before', async () => {
  server = await serveMessages(['Hi.']);
  const { stdout } = await inProcess(`console.log('ready'); await ask();`);
  expect(stdout.split('\n')).toEqual(['ready', 'the SDK is loaded', '']);
});

test('the SDK writes nothing to the console, whatever the server sends', async () => {
  server = await serveMessages([{ raw: 'event: message_start\ndata: {oops\n\n' }]);
  const written = await inProcess(`await ask().catch((error) => console.log(error.code));`);
  expect(written).toEqual({ stdout: 'the SDK is loaded\nmodel_protocol_error\n', stderr: '' });
});
