import { describe, expect, test } from 'vitest';
import { LoadedRow } from '../../testing/load-row.ts';

const PNG = { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' };
const user = (...content: object[]): object => ({ role: 'user', content });

describe('blocks of a transcript', () => {
  test('are kept: in messages, in results of tools, and in what a model thought', () => {
    const thinking = { type: 'thinking', thinking: 'I look.', signature: 'EqQB' };
    const image = { type: 'image', source: PNG };
    const document = { type: 'document', source: { type: 'url', url: 'https://x.test/a.pdf' }, title: 'A' };
    const call = { type: 'tool_use', id: 't', name: 'look', input: {} };
    const loaded = new LoadedRow([
      user({ type: 'text', text: 'Look.' }, image),
      { role: 'assistant', content: [thinking, call] },
      user({ type: 'tool_result', tool_use_id: 't', content: [document] }),
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'Done.' },
          { type: 'text', text: 'One.' },
          { type: 'audio', data: 'SUQz' },
        ],
      },
    ]);
    expect(loaded.notes).toEqual([]);
    expect(loaded.dataOf('user.message')).toEqual([{ content: [{ type: 'text', text: 'Look.' }, image] }]);
    expect(loaded.dataOf('agent.tool_result')).toMatchObject([{ content: [document] }]);
    expect(loaded.dataOf('agent.thinking')).toEqual([
      { df_content: [thinking] },
      { df_content: [{ type: 'thinking', thinking: 'Done.', signature: '' }] },
    ]);
    const audio = { type: 'unknown', block_type: 'audio', block: { type: 'audio', data: 'SUQz' } };
    expect(loaded.dataOf('agent.message')).toEqual([{ content: [{ type: 'text', text: 'One.' }, audio] }]);
  });

  test.each([
    ['the Chat API', { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG.data}` } }, PNG],
    ['the Responses API', { type: 'input_image', image_url: 'https://x.test/a.png' }, { type: 'url', url: 'https://x.test/a.png' }],
  ])('that are images of %s are those of the Messages API', (_, block, source) => {
    expect(new LoadedRow([user(block)]).dataOf('user.message')).toEqual([{ content: [{ type: 'image', source }] }]);
  });

  test('name no blob: it would be that of another session', () => {
    const block = { type: 'image', source: { type: 'blob', df_of: 'base64', media_type: 'x', sha256: 'x', size_bytes: 1 } };
    const content = [{ type: 'unknown', block_type: 'image', block }];
    expect(new LoadedRow([user(block)]).dataOf('user.message')).toEqual([{ content }]);
  });

  test.each([
    ['the blob of another session', { type: 'unknown', block_type: 'x', df_blob: { sha256: 'x', size_bytes: 1 } }],
    ['a text that was cut', { type: 'text', text: 'x', df_blob: { sha256: 'x', size_bytes: 1 } }],
    ['an image without a source', { type: 'image' }],
    ['a text that is a number', { type: 'text', text: 1 }],
  ])('are kept as they were recorded when inside of them stands %s', (_, inner) => {
    const block = { type: 'document', source: { type: 'content', content: [inner] } };
    const content = [{ type: 'unknown', block_type: 'document', block }];
    expect(new LoadedRow([user(block)]).dataOf('user.message')).toEqual([{ content }]);
  });

  test('that only speak of a blob are what they are', () => {
    const found = { type: 'mcp_tool_result', tool_use_id: 't', content: [{ type: 'blob', uri: 'x' }] };
    expect(new LoadedRow([user(found)]).dataOf('user.message')).toEqual([{ content: [found] }]);
  });

  test('that are too large for an event are cut down to their text, and said to be', () => {
    const image = { type: 'image', source: { ...PNG, data: 'A'.repeat(100_000) } };
    const loaded = new LoadedRow([user({ type: 'text', text: 'Look.' }, image)]);
    expect(loaded.story).toEqual(['user: Look.']);
    expect(loaded.notes).toEqual(['0: its blocks are too large for an event; its text alone was kept']);
  });
});
