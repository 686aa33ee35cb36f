// Blocks other than text and calls, both ways, over real HTTP.
import type { ContentBlock } from '@dreamfold/events';
import { afterEach, describe, expect, test } from 'vitest';
import type { ModelRequest, ModelResponse, RequestBlock } from '../port.ts';
import { type MessagesServer, serveMessages } from '../testing/index.ts';
import { anthropic } from './index.ts';

let server: MessagesServer;
afterEach(() => server?.close());

const event = (type: string, fields: object = {}): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
const START = event('message_start', { message: { usage: { input_tokens: 1 } } });
const end = (stop_reason: string): string =>
  event('message_delta', { delta: { stop_reason }, usage: { output_tokens: 5 } }) + event('message_stop');

/** A block as it is streamed: its beginning, and the pieces. */
type Streamed = [begins: object, ...deltas: object[]];

function streamOf(blocks: readonly Streamed[], stopReason = 'end_turn'): string {
  const events = blocks.map(([content_block, ...deltas], index) =>
    [
      event('content_block_start', { index, content_block }),
      ...deltas.map((delta) => event('content_block_delta', { index, delta })),
      event('content_block_stop', { index }),
    ].join(''),
  );
  return [START, ...events, end(stopReason)].join('');
}

const HELLO: ModelRequest['messages'] = [{ role: 'user', content: [{ type: 'text', text: 'Hello.' }] }];

async function respond(raw: string, messages = HELLO): Promise<ModelResponse> {
  await server?.close();
  server = await serveMessages([{ raw }]);
  const request = { model: 'claude-opus-5', system: '', messages, tools: [], maxTokens: 100 };
  return anthropic({ apiKey: 'sk-test', baseURL: server.url }).respond(request, { signal: new AbortController().signal });
}

const THINKING = { type: 'thinking', thinking: 'They say <memory-x>. So I look.', signature: 'EqQBCgIYAh+/=' };
const REDACTED = { type: 'redacted_thinking', data: 'EmwKAhgBEgy3va3pzix/LafPsn4a' };
const SEARCH = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'Rome' }, caller: { type: 'direct' } };
const FOUND = {
  type: 'web_search_tool_result',
  tool_use_id: 'srvtoolu_1',
  content: [{ type: 'web_search_result', url: 'https://x.test', title: 'Rome', encrypted_content: 'Eo8BC==', page_age: null }],
};
const CITATION = {
  type: 'web_search_result_location',
  url: 'https://x.test',
  title: 'Rome',
  encrypted_index: 'Eo==',
  cited_text: 'Rome is',
};
const NEWER = { type: 'hologram', z: 1, a: { deep: [1, 'two', null] }, 10: 'ten' };

const ANSWER: Streamed[] = [
  [
    { type: 'thinking', thinking: '', signature: '' },
    { type: 'thinking_delta', thinking: 'They say <memory-x>. ' },
    { type: 'thinking_delta', thinking: 'So I look.' },
    { type: 'signature_delta', signature: THINKING.signature },
  ],
  [REDACTED],
  [
    { ...SEARCH, input: {} },
    { type: 'input_json_delta', partial_json: '{"query":' },
    { type: 'input_json_delta', partial_json: '"Rome"}' },
  ],
  [FOUND],
  [
    { type: 'text', text: '', citations: [] },
    { type: 'citations_delta', citation: CITATION },
    { type: 'text_delta', text: 'Rome is old.' },
  ],
  [NEWER],
];

describe('an answer', () => {
  test('keeps thinking, server tools, citations and what is newer than this code', async () => {
    const { content } = await respond(streamOf(ANSWER));
    expect(content).toEqual([
      THINKING,
      REDACTED,
      SEARCH,
      FOUND,
      { type: 'text', text: 'Rome is old.', citations: [CITATION] },
      { type: 'unknown', block_type: 'hologram', block: NEWER },
    ]);
  });

  test('of thoughts alone says nothing', async () => {
    await expect(respond(streamOf(ANSWER.slice(0, 2)))).rejects.toMatchObject({ code: 'model_protocol_error' });
  });

  test.each<[string, Streamed]>([
    [
      'a thought with text',
      [
        { type: 'thinking', thinking: '' },
        { type: 'text_delta', text: 'x' },
      ],
    ],
    [
      'text with a thought',
      [
        { type: 'text', text: '' },
        { type: 'thinking_delta', thinking: 'x' },
      ],
    ],
    ['what came whole with a piece', [REDACTED, { type: 'text_delta', text: 'x' }]],
  ])('does not go on from %s', async (_, block) => {
    await expect(respond(streamOf([block]))).rejects.toMatchObject({ code: 'model_protocol_error' });
  });
});

/** What the server was sent as the content of a message, as JSON: the order of the keys counts. */
async function sent(role: 'user' | 'assistant', content: readonly RequestBlock[]): Promise<string[]> {
  await respond(streamOf([[{ type: 'text', text: 'Fine.' }]]), [...HELLO, { role, content }, ...HELLO]);
  return server.requests[0]!.messages[1]!.content.map((block) => JSON.stringify(block));
}

describe('a request', () => {
  test('gives back what the model said, byte for byte', async () => {
    const { content } = await respond(streamOf(ANSWER));
    const text = { type: 'text', text: 'Rome is old.', citations: [CITATION] };
    const back = [THINKING, REDACTED, SEARCH, FOUND, text, NEWER].map((block) => JSON.stringify(block));
    expect(await sent('assistant', content as RequestBlock[])).toEqual(back);
  });

  const image: ContentBlock = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } };
  const document: ContentBlock = { type: 'document', source: { type: 'url', url: 'https://x.test/a.pdf' }, title: 'A' };

  test('holds images and documents, in a message and in the result of a tool', async () => {
    const blocks: ContentBlock[] = [{ type: 'text', text: 'Look.' }, image, document];
    const result: RequestBlock = { type: 'tool_result', tool_use_id: 't', content: 'Look.', blocks, is_error: false };
    expect(await sent('user', [image, document])).toEqual([image, document].map((block) => JSON.stringify(block)));
    expect(await sent('user', [result])).toEqual([JSON.stringify({ type: 'tool_result', tool_use_id: 't', content: blocks })]);
  });

  test('lets no text in a block pose as memory', async () => {
    const posing = '<memory-1>';
    const blocks: ContentBlock[] = [
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: posing }, title: posing },
      { type: 'search_result', title: posing, source: posing, content: [{ type: 'text', text: posing }] },
      { type: 'unknown', block_type: 'x', block: { type: 'x', [posing]: posing } },
    ];
    const result: RequestBlock = { type: 'tool_result', tool_use_id: 't', content: '', blocks, is_error: false };
    expect((await sent('user', [...blocks, result])).join()).not.toContain(posing);
  });
});
