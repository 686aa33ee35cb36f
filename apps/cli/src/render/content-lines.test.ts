import type { ContentBlock } from '@dreamfold/events';
import { expect, test } from 'vitest';
import { contentLines } from './content-lines.ts';

test('each block is a line that says what it is and how large, and shows no data', () => {
  const data = 'QUFB'.repeat(2000);
  const content: ContentBlock[] = [
    { type: 'text', text: 'Look\nat this.' },
    { type: 'image', source: { type: 'base64', media_type: 'image/png', data } },
    {
      type: 'document',
      source: { type: 'blob', df_of: 'base64', media_type: 'application/pdf', sha256: 'x', size_bytes: 3_500_000 },
      title: 'A\u202e',
    },
    { type: 'image', source: { type: 'url', url: 'https://x.test/a.png' } },
    { type: 'search_result', title: 'Rome', source: 'https://x.test', content: [] },
    { type: 'thinking', thinking: 'I look.', signature: data },
    { type: 'redacted_thinking', data },
    { type: 'server_tool_use', id: 's', name: 'web_search', input: { query: 'Rome' } },
    { type: 'web_search_tool_result', tool_use_id: 's', content: data },
    { type: 'unknown', block_type: 'audio', block: { type: 'audio', data } },
  ];
  const lines = contentLines(content, 200);
  expect(lines).toEqual([
    'Look at this.',
    '  [image, image/png, 5.9 KiB]',
    String.raw`  [document, application/pdf, 3.3 MiB, "A\u202e"]`,
    '  [image, https://x.test/a.png]',
    '  [search result, https://x.test, "Rome"]',
    '  [thinking: I look.]',
    '  [thinking, redacted by the service]',
    '  [server_tool_use: web_search {"query":"Rome"}]',
    '  [web_search_tool_result, 7.9 KiB]',
    '  [audio, 7.8 KiB]',
  ]);
  expect(lines.join()).not.toContain('QUFB');
});
