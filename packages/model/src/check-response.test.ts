import { isDreamfoldError } from '@dreamfold/events';
import { expect, test } from 'vitest';
import { checkResponse } from './check-response.ts';

const usage = { input_tokens: 1, output_tokens: 1, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
const saying = (...content: unknown[]): unknown => ({ content, stopReason: 'end_turn', usage });
const calling = (input: unknown): unknown => saying({ type: 'tool_use', id: 'a', name: 't', input });
const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) });
const cycle: { self?: unknown } = {};
cycle.self = cycle;
const endless: { type: string; source: { type: string; content: unknown[] } } = {
  type: 'document',
  source: { type: 'content', content: [] },
};
endless.source.content.push(endless);

test('a whole answer comes back as it is', () => {
  const answer = saying(
    { type: 'text', text: 'Hi.', decision: { confidence: 1 } },
    { type: 'tool_use', id: 'a', name: 't', input: { a: [null] } },
  );
  expect(checkResponse(answer)).toEqual(answer);
  expect(checkResponse(calling(nested(60)))).toEqual(calling(nested(60)));
});

test.each<[what: string, response: unknown, path: string]>([
  ['nothing', undefined, 'answer'],
  ['no content', { stopReason: 'end_turn', usage }, 'content'],
  ['null as a block', saying(null), 'content/0'],
  ['a block of no known type', saying({ type: 'hologram' }), 'content/0/type'],
  ['an image without its source', saying({ type: 'image' }), 'content/0/source'],
  [
    'the blob of another session',
    saying({ type: 'image', source: { type: 'blob', df_of: 'base64', media_type: 'x', sha256: 'x', size_bytes: 1 } }),
    'content/0',
  ],
  [
    'the same inside of a document',
    saying({
      type: 'document',
      source: { type: 'content', content: [{ type: 'unknown', block_type: 'x', df_blob: { sha256: 'x', size_bytes: 1 } }] },
    }),
    'content/0',
  ],
  [
    'an image without its source inside of a document',
    saying({ type: 'document', source: { type: 'content', content: [{ type: 'image' }] } }),
    'content/0/source/content/0',
  ],
  ['a block with a date', saying({ type: 'mcp_tool_result', tool_use_id: 't', content: new Date(0) }), 'content/0'],
  ['a document that holds itself', saying(endless), 'content/0'],
  ['half a character in a thought', saying({ type: 'thinking', thinking: '\ud800', signature: '' }), 'content/0'],
  ['a text that is missing', saying({ type: 'text' }), 'content/0/text'],
  ['a text that is a number', saying({ type: 'text', text: 7 }), 'content/0/text'],
  ['a name that is a number', saying({ type: 'tool_use', name: 7, input: {} }), 'content/0/name'],
  ['an empty name', saying({ type: 'tool_use', name: '', input: {} }), 'content/0/name'],
  ['no input', calling(undefined), 'content/0/input'],
  ['an input too deep', calling(nested(61)), 'content/0/input'],
  ['an input in a circle', calling(cycle), 'content/0/input'],
  ['an input with half a character in a name', calling({ '\ud800': 1 }), 'content/0/input'],
  ['an input with NaN', calling({ a: Number.NaN }), 'content/0/input'],
  ['an input with a function', calling({ a: () => 1 }), 'content/0/input'],
  ['an input with a BigInt', calling({ a: 1n }), 'content/0/input'],
  ['an input with a date', calling({ a: new Date(0) }), 'content/0/input'],
  ['an unknown stop reason', { content: [], stopReason: 'banana', usage }, 'stopReason'],
  ['a refusal in words', { content: [], stopReason: 'refusal', usage, refusal: 'no' }, 'refusal'],
  ['no usage', { content: [], stopReason: 'end_turn' }, 'usage'],
  ...[-1, 1.5, Number.NaN, 1e300].map((n): [string, unknown, string] => [
    `${n} tokens`,
    { content: [], stopReason: 'end_turn', usage: { ...usage, input_tokens: n } },
    'usage/input_tokens',
  ]),
  ['more tokens than there are', { content: [], stopReason: 'end_turn', usage: { ...usage, input_tokens: 1e13 } }, 'usage'],
])('%s is an error of the protocol', (_, response, path) => {
  expect(() => checkResponse(response)).toThrow(
    expect.toSatisfy((error) => isDreamfoldError(error, 'model_protocol_error') && error.path === path) as Error,
  );
});
