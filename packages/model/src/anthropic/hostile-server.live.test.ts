// What a server may do that speaks the Messages API badly, or newer than we do, over real HTTP.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ModelUsage } from '@dreamfold/events';
import { afterEach, describe, expect, test } from 'vitest';
import { isRetryable } from '../error-retry.ts';
import type { ModelError } from '../model-error.ts';
import type { ModelRequest, ModelResponse } from '../port.ts';
import { type MessagesServer, type ServedReply, serveMessages } from '../testing/index.ts';
import { anthropic } from './index.ts';

const KEY = 'sk-test-0123456789';
const REQUEST: ModelRequest = {
  model: 'claude-opus-5',
  system: 'Be kind.',
  messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello.' }] }],
  tools: [],
  maxTokens: 100,
};
const USAGE = { input_tokens: 10, output_tokens: 1, cache_creation_input_tokens: 0, cache_read_input_tokens: 7 };

let server: MessagesServer;
afterEach(() => server.close());

interface Attempt {
  answer: ModelResponse | null;
  error: ModelError | null;
  /** What was said to have been used. */
  used: ModelUsage | null;
}

async function attempt(reply: ServedReply, signal = new AbortController().signal): Promise<Attempt> {
  server = await serveMessages([reply]);
  let used: ModelUsage | null = null;
  const call = { signal, onUsage: (usage: ModelUsage) => void (used = usage) };
  const asked = anthropic({ apiKey: KEY, baseURL: server.url }).respond(REQUEST, call);
  let answer: ModelResponse | null = null;
  let error: ModelError | null = null;
  try {
    answer = await asked;
  } catch (caught) {
    error = caught as ModelError;
  }
  expect(server.requests.length).toBeLessThanOrEqual(1);
  expect(JSON.stringify([answer, error, error?.message])).not.toContain(KEY);
  return { answer, error, used };
}

const event = (type: string, fields: object = {}): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
const START = event('message_start', { message: { usage: USAGE } });
const begin = (index: number, content_block: object = { type: 'text', text: '' }): string =>
  event('content_block_start', { index, content_block });
const piece = (index: number, delta: object): string => event('content_block_delta', { index, delta });
const say = (index: number, text: string): string => piece(index, { type: 'text_delta', text });
const stop = (index: number): string => event('content_block_stop', { index });
const END = event('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 5 } }) + event('message_stop');
const HELLO = begin(0) + say(0, 'Hello.') + stop(0);

describe('an answer that nobody here can go on from is named, counted, and not asked for again', () => {
  test.each([
    ['pause_turn', 'model_answer_unsupported', /pause_turn/, /tools/],
    ['stop_sequence', 'model_answer_unsupported', /stop_sequence/, /stop sequences/],
    ['model_context_window_exceeded', 'model_context_window_exceeded', /context window/, /contextWindow/],
    ['wombat', 'model_answer_unsupported', /wombat/, /newer/],
    ['constructor', 'model_answer_unsupported', /constructor/, /newer/],
  ])('it stopped with %s', async (...[stopReason, code, message, remedy]) => {
    const { error, used } = await attempt({ content: [{ text: 'Hi.' }], stopReason, usage: { output_tokens: 44 } });
    expect(error).toMatchObject({ code, path: 'stop_reason', value: stopReason, message: expect.stringMatching(message) as string });
    expect(error!.remedy).toMatch(remedy);
    expect(isRetryable(error)).toBe(false);
    expect(used).toMatchObject({ input_tokens: 10, output_tokens: 44 });
  });

  test('it comes in pieces of an unknown type', async () => {
    const value = 'wombat_delta';
    const { error, used } = await attempt({ raw: START + begin(0) + piece(0, { type: value }) + stop(0) + END });
    expect(error).toMatchObject({ code: 'model_answer_unsupported', value, message: expect.stringContaining(value) as string });
    expect(isRetryable(error)).toBe(false);
    expect(used).toEqual(USAGE);
  });

  test('an event of an unknown type is passed over', async () => {
    const { answer } = await attempt({ raw: START + event('wombat') + HELLO + END + event('wombat') });
    expect(answer?.content).toEqual([{ type: 'text', text: 'Hello.' }]);
  });
});

describe('a stream out of order is a protocol error, and counts what it used', () => {
  test.each([
    ['a piece after the end of its block', START + HELLO + say(0, 'LATE') + END],
    ['a block that ends twice', START + HELLO + stop(0) + END],
    ['a block after the end of the message', START + HELLO + END + begin(1) + say(1, 'AFTER') + stop(1)],
    ['another end after the end', START + HELLO + END + END],
    ['two beginnings', START + HELLO + START + END],
    ['the end of a block that was not begun', START + stop(0) + END],
    ['no reason to stop', START + HELLO + event('message_delta', { delta: {} }) + event('message_stop')],
  ])('%s', async (_, raw) => {
    const { error, used } = await attempt({ raw });
    expect(error).toMatchObject({ code: 'model_protocol_error' });
    expect(isRetryable(error)).toBe(true);
    expect(used).toMatchObject({ input_tokens: 10, cache_read_input_tokens: 7 });
  });
});

test('what was used is told of an answer that is refused, cut off or called off', async () => {
  expect((await attempt({ content: [], stopReason: 'refusal', usage: { output_tokens: 3 } })).used).toMatchObject({ output_tokens: 3 });
  expect((await attempt({ content: [{ text: 'Hi.' }], cut: { before: 3, how: 'reset' } })).used).toMatchObject({ input_tokens: 10 });
  const called = new AbortController();
  const waiting = attempt({ content: [{ text: 'Hi.' }], eventDelayMs: 60 }, called.signal);
  setTimeout(() => called.abort(new RangeError('over')), 150);
  const { error, used } = await waiting;
  expect(error).toBeInstanceOf(RangeError);
  expect(used).toMatchObject({ input_tokens: 10 });
});

describe('what is too long is read no further', () => {
  const MIB = 1 << 20;

  /** @returns how much of 60 MiB was sent before the client went away, and by how much its memory grew */
  async function flood(first: string, each: string): Promise<{ error: ModelError | null; sent: number; grown: number }> {
    let sent = 0;
    const pieces = function* (): Generator<string> {
      yield first;
      for (; sent < 60 * MIB; sent += each.length) yield each;
    };
    const before = process.memoryUsage().rss;
    const { error } = await attempt({ raw: pieces() });
    return { error, sent, grown: process.memoryUsage().rss - before };
  }

  test.each([
    ['text in small pieces', START + begin(0), say(0, 'a'.repeat(8192))],
    ['text in large pieces', START + begin(0), say(0, 'a'.repeat(MIB / 2))],
    [
      'the input of a call',
      START + begin(0, { type: 'tool_use', id: 't', name: 'n', input: {} }),
      piece(0, { type: 'input_json_delta', partial_json: 'a'.repeat(8192) }),
    ],
    ['the name of a tool', START, begin(0, { type: 'tool_use', id: 't', name: 'n'.repeat(MIB / 2), input: {} })],
    ['a line without an end', `${START}data: `, 'x'.repeat(65_536)],
    ['an event without an end', START, `data: ${'x'.repeat(65_536)}\n`],
  ])('%s', async (_, first, each) => {
    const { error, sent, grown } = await flood(first, each);
    expect(error).toMatchObject({ code: 'payload_too_large', path: 'answer', remedy: expect.stringContaining('maxTokens') as string });
    expect(isRetryable(error)).toBe(false);
    // What lies in the buffers of two sockets was sent too.
    expect(sent).toBeLessThan(12 * MIB);
    expect(grown).toBeLessThan(40 * MIB);
  });

  test('the page of an error', async () => {
    const { error } = await attempt({ status: 500, type: 'x', message: 'x'.repeat(20 * MIB) });
    expect(error).toMatchObject({ code: 'model_unavailable' });
    expect(error!.message.length).toBeLessThan(1100);
  });

  test('an answer that is just short enough is whole', async () => {
    const text = 'a'.repeat(250_000);
    expect((await attempt({ content: [{ text }] })).answer?.content).toEqual([{ type: 'text', text }]);
  });
});

describe('a redirect', () => {
  test.each([301, 302, 303, 307, 308])('(%i) is not followed: the prompt goes nowhere else', async (status) => {
    let asked = 0;
    const other = createServer((_, response) => {
      asked += 1;
      response.end();
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const location = `http://127.0.0.1:${(other.address() as AddressInfo).port}/v1/messages`;
    const { error } = await attempt({ status, type: 'x', message: 'Elsewhere.', headers: { location } });
    other.close();
    expect(error).toMatchObject({ code: 'model_request_failed', path: 'baseURL', value: location });
    expect(error!.message).toContain(`redirects to ${location}`);
    expect(isRetryable(error)).toBe(false);
    expect(asked).toBe(0);
  });
});

test('a server that answers is not said to be out of reach', async () => {
  for (const status of [500, 503, 409]) {
    const { error } = await attempt({ status, type: 'api_error', message: 'Oops.' });
    expect(error).toMatchObject({ code: 'model_unavailable', message: `The server of the model failed (${status}): Oops.` });
  }
  const inStream = `${START}event: error\ndata: {"type":"error","error":{"type":"api_error","message":"Oh"}}\n\n`;
  expect((await attempt({ raw: inStream })).error?.message).toMatch(/^The server of the model failed: /);
});

test('half of a character in one piece and half in the next are one', async () => {
  const halves = `${piece(0, { type: 'text_delta', text: '\ud83d' })}${piece(0, { type: 'text_delta', text: '\ude00' })}`;
  expect((await attempt({ raw: START + begin(0) + halves + stop(0) + END })).answer?.content).toEqual([{ type: 'text', text: '😀' }]);
});

test('a call that is called off before it is sent sends nothing', async () => {
  server = await serveMessages(['Hello.']);
  const called = new AbortController();
  const asked = anthropic({ apiKey: KEY, baseURL: server.url }).respond(REQUEST, { signal: called.signal });
  // The client is made first, which takes a moment.
  called.abort(new RangeError('over'));
  await expect(asked).rejects.toThrow('over');
  expect(server.requests).toHaveLength(0);
});
