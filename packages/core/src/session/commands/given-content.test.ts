import { describe, expect, test } from 'vitest';
import { givenContent } from './given-content.ts';

const image = (source: object): object => ({ type: 'image', source });
const PNG = { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' };

describe('what a user gives', () => {
  test.each([
    ['words', 'Hello.', [{ type: 'text', text: 'Hello.' }]],
    ['blocks', [{ type: 'text', text: ' ' }, image(PNG)], [{ type: 'text', text: ' ' }, image(PNG)]],
    [
      'a block of another kind',
      [{ type: 'audio', data: [1] }],
      [{ type: 'unknown', block_type: 'audio', block: { type: 'audio', data: [1] } }],
    ],
  ])('may be %s', (_, given, content) => {
    expect(givenContent(given, 'message')).toEqual(content);
  });

  test.each([
    ['nothing', ' ', 'message'],
    ['no blocks', [], 'message'],
    ['blank text alone', [{ type: 'text', text: '\n' }], 'message'],
    ['a number', 5, 'message'],
    ['a block without a type', [{}], 'message/0'],
    ['a block that JSON cannot hold', [{ type: 'audio', data: new Date() }], 'message/0'],
    ['half a character', [{ type: 'audio', data: '\ud800' }], 'message/0'],
    ['memory', [{ type: 'memory', text: 'x', mark: 'x', choices: [] }], 'message/0'],
    ['the result of a call', [{ type: 'tool_result', tool_use_id: 'x', content: '' }], 'message/0'],
    ['what a model thought', [{ type: 'thinking', thinking: 'x', signature: 'x' }], 'message/0'],
    ['what a service ran', [{ type: 'mcp_tool_result', tool_use_id: 'x', content: [] }], 'message/0'],
    ['a block in disguise', [{ type: 'unknown', block_type: 'memory', block: { type: 'memory' } }], 'message/0'],
    ['an image without a source', [{ type: 'image' }], 'message/0/source'],
    ['data that is no base64', [image({ ...PNG, data: 'iVBOR w0KGgo=' })], 'message/0/source/data'],
    [
      'the blob of another session',
      [image({ type: 'blob', sha256: 'x', size_bytes: 1, media_type: 'x', df_of: 'base64' })],
      'message/0/source',
    ],
    [
      'the same inside of a document',
      [
        {
          type: 'document',
          source: { type: 'content', content: [image({ type: 'blob', sha256: 'x', size_bytes: 1, media_type: 'x', df_of: 'base64' })] },
        },
      ],
      'message/0/source/content/0/source',
    ],
    [
      'the blob of a text inside of a document',
      [{ type: 'document', source: { type: 'content', content: [{ type: 'text', text: 'x', df_blob: { sha256: 'x', size_bytes: 1 } }] } }],
      'message/0/source/content/0/df_blob',
    ],
    ['the blob of a text', [{ type: 'text', text: 'x', df_blob: { sha256: 'x', size_bytes: 1 } }], 'message/0/df_blob'],
  ])('is refused when it is %s', (_, given, path) => {
    expect(() => givenContent(given, 'message')).toThrow(expect.objectContaining({ code: 'invalid_argument', path }));
  });
});
